/** `clerk-sync doctor`: looks at everything that can be wrong, and names what is. */

import { type Command, Option } from 'commander'
import { createPortalLink } from '../../clerk/api/portal.ts'
import { loadConfiguration } from '../../configuration/configuration.ts'
import { countOf } from '../../count-of.ts'
import { type CheckedResult, type Fix, GROUPS, type Status } from '../../doctor/check.ts'
import { examine, resolveOptions } from '../../doctor/examine.ts'
import { ClerkSyncError } from '../../errors.ts'
import { isConfirmed } from '../confirm.ts'
import { EXIT, remedyLines, usageError } from '../failure.ts'
import { watchChanges } from '../interruption.ts'
import { withSync } from '../open.ts'
import {
  type DatabaseOptions,
  parseDuration,
  parseUrl,
  withDatabaseOptions,
  withExamples,
} from '../options.ts'
import { Output, type Pen } from '../output.ts'
import { printable } from '../text.ts'

interface DoctorOptions extends DatabaseOptions {
  readonly url?: URL
  readonly timeout: number
  readonly onlyProblems?: boolean
  readonly offline?: boolean
  readonly fix?: boolean
  readonly portal?: boolean
  readonly watch?: boolean
}

/** Svix waits this long. */
const TIMEOUT_MS = 15_000
const WATCH_EVERY_MS = 5_000
const PORTAL_TIMEOUT_MS = 10_000

export function register(command: Command): void {
  withExamples(command, [
    ['clerk-sync doctor', 'configuration, database, clock and traffic'],
    [
      'clerk-sync doctor --url https://app.example.com/api/webhooks/clerk',
      'also test the route from outside',
    ],
    ['clerk-sync doctor --portal', 'also print a link to the webhooks in Svix’s portal'],
    ['clerk-sync doctor --only-problems --json', 'for a script; exits with 3 if there are any'],
  ])
  withDatabaseOptions(command)
    .option('--url <address>', 'the webhook route as Clerk calls it', parseUrl)
    .option('--timeout <duration>', 'time limit for the route’s answer (15s)', parseDuration, TIMEOUT_MS)
    .option('--only-problems', 'hide passing checks')
    .option('--offline', 'do not call Clerk')
    .addOption(
      new Option('--portal', 'print a secret sign-in link to the webhooks of the instance').conflicts([
        'offline',
        'watch',
      ]),
    )
    .option('--fix', 'offer safe repairs, then check again')
    .addOption(new Option('--watch', 'check every five seconds and report changes').conflicts('fix'))
    .action((_, self: Command) => doctor(self.optsWithGlobals()))
}

async function doctor(options: DoctorOptions): Promise<void> {
  const output = new Output(options)
  if (options.fix && !output.canAsk)
    throw usageError(
      '--fix asks before each fix, and nobody is there to answer.',
      'Apply the remedies by hand.',
    )
  if (options.watch) return watch(options, output)
  const results = await examine(options)
  report(results, options, output)
  if (options.portal) await printPortalLink(options, output)
  if (options.fix && (await fix(results, options, output))) report(await examine(options), options, output)
}

/** What can be fixed, if it is wanted; whether anything was. */
async function fix(
  results: readonly CheckedResult[],
  options: DoctorOptions,
  output: Output,
): Promise<boolean> {
  const fixes = results.flatMap((result) => result.fix ?? [])
  if (fixes.length === 0) output.note('\nThere is no safe automatic repair.')
  const wanted: Fix[] = []
  for (const each of fixes) if (await isConfirmed(each.what, 'Do it?', false, output)) wanted.push(each)
  if (wanted.length === 0) return false
  await withSync(options, async (sync) => {
    for (const each of wanted) await each.apply(sync)
  })
  output.note('')
  return true
}

/** Anyone who has the link can change the endpoints, so that it is printed only to stdout, and only on request. */
async function printPortalLink(options: DoctorOptions, output: Output): Promise<void> {
  const { secretKey, apiUrl, apiVersion } = await resolveOptions(await loadConfiguration(options))
  if (secretKey === '') throw new ClerkSyncError('api_key_missing')
  const url = await createPortalLink({ secretKey, apiUrl, apiVersion, timeoutMs: PORTAL_TIMEOUT_MS })
  if (url === null)
    return output.note(
      '\nThe Clerk instance has no webhooks yet: create an endpoint in Clerk Dashboard → Webhooks.',
    )
  if (output.json) output.stdout.record({ type: 'portal', url })
  else output.stdout.line(url)
  output.note('  The link signs in once without a password. Keep it secret.')
}

async function watch(options: DoctorOptions, output: Output): Promise<void> {
  await watchChanges(
    WATCH_EVERY_MS,
    () => examine(options),
    (results) => results.map(({ check, status, code }) => `${check} ${status} ${code}`).join(),
    (results) => report(results, options, output),
  )
  process.exitCode = 0
}

function report(results: readonly CheckedResult[], options: DoctorOptions, output: Output): void {
  const shown = options.onlyProblems ? results.filter(({ status }) => status !== 'passed') : results
  const count = (wanted: Status) => results.filter(({ status }) => status === wanted).length
  const counts = {
    passed: count('passed'),
    warnings: count('warning'),
    problems: count('problem'),
    unclear: count('unclear'),
  }
  if (output.json) {
    for (const { fix, ...result } of shown)
      output.stdout.record({ type: 'result', ...result, ...(fix && { fix: fix.what }) })
    output.stdout.record({ type: 'summary', ...counts })
  } else printResults(shown, output.stdout)
  const unclear = counts.unclear > 0 ? ` · ${counts.unclear} unclear` : ''
  output.note(
    `\n${countOf(counts.problems, 'problem')} · ${countOf(counts.warnings, 'warning')}${unclear} · ${counts.passed} passed`,
  )
  process.exitCode = counts.problems > 0 ? EXIT.foundProblems : 0
}

function printResults(results: readonly CheckedResult[], pen: Pen): void {
  for (const group of GROUPS) {
    const own = results.filter((result) => result.group === group)
    if (own.length > 0) pen.line(pen.colors.bold(`${group.charAt(0).toUpperCase()}${group.slice(1)}`))
    pen.lines(own.flatMap((result) => linesOf(result, pen)))
  }
}

const MARKS = {
  passed: ['✓', 'green'],
  warning: ['!', 'yellow'],
  problem: ['✗', 'red'],
  unclear: ['?', 'yellow'],
} as const

function linesOf({ status, code, message, remedy }: CheckedResult, pen: Pen): string[] {
  const [mark, color] = MARKS[status]
  const name = code === null ? '' : `${pen.colors.bold(code)}  `
  const line = `  ${pen.colors[color](mark)} ${name}${printable(message)}`
  return remedy === undefined ? [line] : [line, ...remedyLines(remedy, 4, pen)]
}
