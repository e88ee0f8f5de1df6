import { readArguments } from './arguments.ts'
import type { Command } from './command.ts'
import { examineDatabase } from './doctor-database.ts'
import { examineWorker } from './doctor-worker.ts'
import type { Finding } from './finding.ts'
import type { Colour, Terminal } from './terminal.ts'
import { printable } from './text-width.ts'

export const doctor: Command = {
  name: 'doctor',
  summary: 'Test each connection of the way of a change, and say what to do where it fails.',
  forms: ['[--json]'],
  details: 'Ends with 1 if a check failed; a warning is no failure.',

  async run(args, terminal) {
    const { flags } = readArguments(args, { json: 'switch' })
    const findings: Finding[] = []
    for (const examination of [examineDatabase(terminal), examineWorker(terminal)])
      for await (const finding of examination) {
        findings.push(finding)
        if (!flags.json) terminal.out(findingView(finding, terminal.paint))
      }
    if (flags.json) terminal.out(`${JSON.stringify(findings, null, 2)}\n`)
    return findings.some(({ result }) => result === 'failed') ? 1 : 0
  },
}

const marks: Record<Finding['result'], [mark: string, colour: Colour]> = {
  fine: ['✓', 'green'],
  warning: ['!', 'yellow'],
  failed: ['✗', 'red'],
  skipped: ['–', 'dim'],
}

const NAME_WIDTH = 14

export function findingView(finding: Finding, paint: Terminal['paint']): string {
  const { name, result, said } = finding
  const [mark, colour] = marks[result]
  const time = 'ms' in finding ? paint('dim', `  ${milliseconds(finding.ms)}`) : ''
  const first = `${paint(colour, mark)} ${name.padEnd(NAME_WIDTH)} ${printable(said)}${time}\n`
  const advice = 'advice' in finding && finding.advice
  return advice ? `${first}  ${' '.repeat(NAME_WIDTH)} → ${printable(advice)}\n` : first
}

function milliseconds(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`
}
