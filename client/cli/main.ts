#!/usr/bin/env node
// A Node before 22.18 cannot read this file at all; one between cannot run the rest of it.
const NODE_NEEDED = 24

if (Number.parseInt(process.versions.node, 10) < NODE_NEEDED) {
  process.stderr.write(
    `belfry needs Node ${NODE_NEEDED}, and this is ${process.version}: use \`npm run belfry -- …\`, which brings its own.\n`,
  )
  process.exitCode = 1
} else {
  const [{ run }, { processTerminal }] = await Promise.all([
    import('./run.ts'),
    import('./process-terminal.ts'),
  ])
  const status = await run(process.argv.slice(2), processTerminal())
  // What was written is flushed first; a socket whose other end is gone is not waited for.
  process.stdout.write('', () => process.stderr.write('', () => process.exit(status)))
}
