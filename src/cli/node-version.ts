/** Whether this Node can run the command line. Knows nothing else, so that any Node can load it. */

/** As `engines` in package.json says. */
const OLDEST = [22, 12] as const

export function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])
}
