/** `clerk-sync init`: adds the route and the configuration to the app in the working directory, once they were shown. */

import { type Command, Option } from 'commander'
import { currentTypes, RESOURCES } from '../../clerk/catalogue.ts'
import { Project, protectionOf, ROUTE_PATH } from '../../doctor/project.ts'
import { type App, detectApp, NoAppError } from '../../scaffold/app.ts'
import { diffLines } from '../../scaffold/diff.ts'
import { FRAMEWORKS, type Framework, nameOf } from '../../scaffold/frameworks.ts'
import { ensureLocalSecret, type LocalSecret } from '../../scaffold/local-secret.ts'
import { type Plan, type PlannedFile, planFor, writePlanned } from '../../scaffold/plan.ts'
import { choose, isConfirmed } from '../confirm.ts'
import { EXIT, usageError } from '../failure.ts'
import { type GlobalOptions, withExamples } from '../options.ts'
import { Output } from '../output.ts'
import { printable, wrap } from '../text.ts'

interface InitOptions extends GlobalOptions {
  readonly framework?: Framework
  readonly yes?: boolean
  readonly overwrite?: boolean
  readonly dryRun?: boolean
  readonly localSecret?: boolean
}

/** Opens the instance that was looked at last. */
const DASHBOARD_URL = 'https://dashboard.clerk.com/last-active?path=webhooks'

export function register(command: Command): void {
  withExamples(command, [
    ['clerk-sync init', 'show the changes, then ask before writing'],
    ['clerk-sync init --dry-run', 'only show the changes'],
    ['clerk-sync init --local-secret', 'also create a signing secret for this machine'],
    ['clerk-sync init --yes --framework express', 'without asking, for scripts'],
  ])
  command
    .addOption(
      new Option('--framework <name>', 'the framework (detected from package.json)').choices(FRAMEWORKS),
    )
    .option('--yes', 'write the changes without asking')
    .option('--overwrite', 'with --yes: also replace a different existing route')
    .option('--local-secret', 'write a signing secret for this machine, unless .env has one')
    .option('--dry-run', 'change nothing')
    .action((_, self: Command) => init(self.optsWithGlobals()))
}

async function init(options: InitOptions): Promise<void> {
  const output = new Output(options)
  const app = await findApp(options, output)
  const project = new Project(app.root)
  const plan = planFor(app, project)
  const warning = protectionOf(project)
  output.note(`  ${describe(app)}\n`)
  for (const file of plan.files) show(file, output)
  const pending = plan.files.filter(({ action }) => action !== 'keep')
  if (pending.length === 0) output.note('\n  Nothing to add: everything is already set up.')
  const agreed = options.dryRun ? [] : await agreedOf(pending, options, output)
  for (const file of agreed) await writePlanned(app.root, file)
  const isRefused = agreed.length === 0 && pending.length > 0 && !options.dryRun
  const makesSecret = options.localSecret === true && !options.dryRun && !isRefused
  const secret = makesSecret ? await ensureLocalSecret(app.root, app.framework) : undefined
  if (output.json) output.stdout.record(recordOf(app, plan, agreed, warning, secret))
  else if (isRefused) output.note('  Nothing was written.')
  else printSteps(app, plan, warning, secret, output)
  // Somebody who says no has what he wanted; a script that says yes has not.
  if (options.yes && !options.dryRun && agreed.length < pending.length) process.exitCode = EXIT.foundProblems
}

async function findApp(options: InitOptions, output: Output): Promise<App> {
  try {
    return await detectApp(process.cwd(), (likely) => chooseFramework(likely, options, output))
  } catch (error) {
    throw error instanceof NoAppError ? usageError(error.message, error.remedy) : error
  }
}

/** Nobody is asked what is clear, or where nobody can answer. */
async function chooseFramework(
  likely: readonly [Framework, ...Framework[]],
  { framework, yes, dryRun }: InitOptions,
  output: Output,
): Promise<Framework> {
  if (framework) return framework
  if (likely.length === 1 || yes || dryRun || !output.canAsk) return likely[0]
  return choose(
    'Which framework receives the webhooks?',
    likely.map((value) => ({ value, label: nameOf(value) })),
  )
}

function describe({ framework, dialect }: App): string {
  return `${nameOf(framework)}, ${dialect.isTypeScript ? 'TypeScript' : 'JavaScript'}`
}

function show({ path, before = '', after, action }: PlannedFile, output: Output): void {
  const { bold, green, red, dim } = output.stderr.colors
  output.note(`  ${bold(printable(path))}  ${dim(action === 'keep' ? 'already exists' : action)}`)
  const styles: Readonly<Record<string, (text: string) => string>> = { '+': green, '-': red }
  for (const line of diffLines(before, after)) {
    if (action !== 'keep') output.note(`    ${(styles[line.charAt(0)] ?? dim)(printable(line))}`)
  }
}

/** What is to be written. */
async function agreedOf(
  pending: readonly PlannedFile[],
  options: InitOptions,
  output: Output,
): Promise<PlannedFile[]> {
  const additions = pending.filter(({ action }) => action !== 'replace')
  const question = () => isConfirmed(`Add ${listPaths(additions)}`, 'Go ahead?', options.yes, output, true)
  const isAdding = additions.length > 0 && (await question())
  // Who wants nothing added is not asked what may be destroyed.
  if (additions.length > 0 && !isAdding) return []
  const agreed = [...additions]
  for (const file of pending.filter(({ action }) => action === 'replace'))
    if (await mayReplace(file, options, output)) agreed.push(file)
  return agreed
}

/** What somebody wrote is not replaced by a `--yes` that may be meant for new files. */
async function mayReplace({ path }: PlannedFile, options: InitOptions, output: Output): Promise<boolean> {
  if (!options.yes || options.overwrite)
    return isConfirmed(`Replace ${printable(path)}`, 'Go ahead?', options.yes, output)
  output.note(
    `  ! ${printable(path)} already has a different route, so it was not changed. Add --overwrite to replace it.`,
  )
  return false
}

function listPaths(files: readonly PlannedFile[]): string {
  return files.map(({ path }) => printable(path)).join(', ')
}

/** By resource, as Clerk’s dashboard groups them. */
const EVENTS = [...RESOURCES.values()].flatMap((resource) => {
  const types = currentTypes(resource)
  return types.length > 0 ? [types] : []
})

function printSteps(
  { install }: App,
  { paste }: Plan,
  warning: string | undefined,
  secret: LocalSecret | undefined,
  output: Output,
): void {
  const { yellow, bold } = output.stderr.colors
  if (install) output.note(`\n  ${bold('Install')}   ${install}`)
  if (paste.lines.length > 0) output.note(`\n  ${bold('Paste')}     into ${paste.into}`)
  for (const line of paste.lines) output.note(`            ${line}`)
  if (secret) printSecret(secret, output)
  output.note(`\n  ${bold('Clerk')}     ${DASHBOARD_URL}`)
  output.note(`            Add endpoint: https://YOUR-APP${ROUTE_PATH}`)
  output.note(
    '            Put its Signing Secret into .env as CLERK_WEBHOOK_SIGNING_SECRET. Select these events:',
  )
  const width = Math.min(output.stderr.width, 110) - 14
  for (const types of EVENTS) {
    for (const line of wrap(types.join(' '), width)) output.note(`              ${line}`)
  }
  // Last, where it is still on the screen.
  if (warning) output.note(`\n  ${yellow('!')} ${printable(warning)}`)
}

/** The secret itself is shown nowhere. */
function printSecret({ path, isNew, isTracked }: LocalSecret, output: Output): void {
  const { bold, yellow } = output.stderr.colors
  output.note(
    `\n  ${bold('Secret')}    ${path} has ${isNew ? 'a new one for this machine' : 'one already; it was kept'}.`,
  )
  output.note('            `clerk-sync trigger user.created` sends a delivery signed with it.')
  if (isTracked) output.note(`            ${yellow('!')} git does not ignore ${path}: add it to .gitignore.`)
}

function recordOf(
  { framework, dialect, install }: App,
  { files, paste }: Plan,
  agreed: readonly PlannedFile[],
  warning: string | undefined,
  secret: LocalSecret | undefined,
) {
  return {
    type: 'init',
    framework,
    typescript: dialect.isTypeScript,
    files: files.map((file) => ({
      path: file.path,
      action: file.action,
      written: agreed.includes(file),
      diff: file.action === 'keep' ? [] : diffLines(file.before ?? '', file.after),
    })),
    warning: warning ?? null,
    install: install ?? null,
    paste: paste.lines,
    localSecret: secret ?? null,
    dashboard: { url: DASHBOARD_URL, path: ROUTE_PATH, events: EVENTS.flat() },
  }
}
