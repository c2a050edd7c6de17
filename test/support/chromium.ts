/** The browser that the dashboard is tested with: the one that is installed, else one from apt in CI. */

import { access } from 'node:fs/promises'

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

export async function findChromium(install: () => Promise<boolean>): Promise<string | null> {
  const { TEST_CHROMIUM: configured } = process.env
  if (configured) return configured
  return (await firstOf(PLACES)) ?? ((await install()) ? firstOf(PLACES) : null)
}

async function firstOf(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    const isThere = await access(path).then(
      () => true,
      () => false,
    )
    if (isThere) return path
  }
  return null
}
