import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']
const PLACES = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

/**
 * The browser for the tests: CHROME_PATH, an installed Chromium or Chrome, what Playwright has
 * downloaded, and where there is none, one that is installed now.
 * @throws Error with the sentence that says what to do
 */
export function requireBrowser(say: (line: string) => void): string {
  const found = findBrowser()
  if (found) return found
  say('no Chromium or Chrome here: installing one for the tests')
  for (const install of [installFromPlaywright, installFromApt]) {
    install()
    const installed = findBrowser()
    if (installed) return installed
  }
  throw new Error(
    'The tests need Chromium or Chrome: install one, or set CHROME_PATH to it, and run npm test again.',
  )
}

function findBrowser(): string | undefined {
  const { CHROME_PATH, PATH = '' } = process.env
  const onPath = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)))
  return [CHROME_PATH, ...onPath, ...PLACES, ...playwrightBrowsers()].find(
    (path) => path !== undefined && path !== '' && existsSync(path),
  )
}

function playwrightBrowsers(): string[] {
  const caches = [
    '.cache/ms-playwright',
    'Library/Caches/ms-playwright',
    'AppData/Local/ms-playwright',
  ]
  const folders = caches.map((cache) => join(homedir(), cache)).filter((cache) => existsSync(cache))
  return folders.flatMap((cache) =>
    readdirSync(cache)
      .filter((name) => name.startsWith('chromium-'))
      .flatMap((name) => [
        join(cache, name, 'chrome-linux/chrome'),
        join(cache, name, 'chrome-linux64/chrome'),
        join(cache, name, 'chrome-mac/Chromium.app/Contents/MacOS/Chromium'),
        join(cache, name, 'chrome-win/chrome.exe'),
      ]),
  )
}

function installFromPlaywright(): void {
  attempt(process.execPath, ['node_modules/playwright-core/cli.js', 'install', 'chromium'])
}

function installFromApt(): void {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return
  attempt('apt-get', ['update', '-qq'])
  attempt('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'])
}

/** What fails here fails again, and is told, when no browser is found. */
function attempt(command: string, args: string[]): void {
  try {
    execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'], timeout: 300_000 })
  } catch {
    // The next way is tried.
  }
}
