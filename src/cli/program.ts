/** The command line: names the commands, loads the one that is asked for, and turns errors into exit codes. */

import { Command, Option } from 'commander'
import { loadEnvironmentFiles } from '../configuration/environment.ts'
import { readVersion } from '../version.ts'
import { fail } from './failure.ts'
import { dieOf, Interrupted } from './interruption.ts'
import { withExamples } from './options.ts'
import { Output } from './output.ts'

/** A module of `commands/`: adds its arguments, options and action to the command of its name. */
interface CommandModule {
  register(command: Command): void
}

/** Completion lists every command, so it loads all of them. */
const COMPLETION = 'completion'

/** By name. Loaded when called, so that asking for help does not wait for database drivers. */
const COMMANDS: Readonly<Record<string, readonly [summary: string, load: () => Promise<CommandModule>]>> = {
  demo: [
    'see clerk-sync at work and checked, without an account or a network',
    () => import('./commands/demo.ts'),
  ],
  init: ['add the webhook route and the configuration to an app', () => import('./commands/init.ts')],
  dev: ['run a server, a database and traffic, for development', () => import('./commands/dev.ts')],
  start: ['receive webhooks and keep the tables up to date', () => import('./commands/start.ts')],
  migrate: ['create or update the tables', () => import('./commands/migrate.ts')],
  maintain: ['delete data that is past its retention', () => import('./commands/maintain.ts')],
  backfill: ['import existing data from Clerk', () => import('./commands/backfill.ts')],
  reconcile: [
    'compare the tables with Clerk and repair differences',
    () => import('./commands/reconcile.ts'),
  ],
  erase: ['remove what is stored of a user', () => import('./commands/erase.ts')],
  status: ['show a one-line health summary', () => import('./commands/status.ts')],
  events: ['list, show and replay received events', () => import('./commands/events.ts')],
  handlers: ['list and pause handlers, or run one for past events', () => import('./commands/handlers.ts')],
  failures: ['list, retry and discard failed handler runs', () => import('./commands/failures.ts')],
  trigger: ['send a signed sample event to a webhook route', () => import('./commands/trigger.ts')],
  simulate: [
    'send traffic from a simulated Clerk to a webhook route',
    () => import('./commands/simulate.ts'),
  ],
  schema: [
    'print the synced tables for SQL, Drizzle, Prisma or Kysely',
    () => import('./commands/schema.ts'),
  ],
  config: [
    'show every option, its value and where the value comes from',
    () => import('./commands/config.ts'),
  ],
  doctor: ['diagnose configuration, database, route and traffic', () => import('./commands/doctor.ts')],
  explain: ['explain an error code and its remedy', () => import('./commands/explain.ts')],
  mcp: [
    'serve status, events and failures to agents (Model Context Protocol)',
    () => import('./commands/mcp.ts'),
  ],
  [COMPLETION]: ['print a completion script for bash, zsh or fish', () => import('./commands/completion.ts')],
}

function createProgram(): Command {
  const program = new Command('clerk-sync')
    .description('Keeps your own Postgres in step with Clerk.')
    .version(readVersion(), '-V, --version')
    .addOption(
      new Option('--config <path>', 'the configuration file (clerk-sync.config.ts)').env('CLERK_SYNC_CONFIG'),
    )
    .option('--json', 'print data and errors as JSON, one object per line')
    .option('--quiet', 'print only data and errors')
    .option('--no-color', 'print without colours (NO_COLOR)')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: () => undefined })
    .exitOverride()
  withExamples(program, [
    ['clerk-sync demo', 'see what it does, in ten seconds'],
    ['clerk-sync start', 'receive webhooks, with an embedded database'],
    ['clerk-sync trigger user.created', 'send it a signed sample event'],
    ['clerk-sync events list', 'see its outcome'],
  ])
  return program
}

/** Names every command, but loads only the one that is asked for. */
async function addCommands(program: Command, asked: string | undefined): Promise<void> {
  for (const [name, [summary, load]] of Object.entries(COMMANDS)) {
    const command = program.command(name).summary(summary).description(summary)
    if (name !== asked && asked !== COMPLETION) continue
    loadEnvironmentFiles()
    const module = await load()
    module.register(command)
  }
}

/** Runs a command line and sets the exit code. */
export async function run(args: readonly string[]): Promise<void> {
  const program = createProgram()
  try {
    const words = commandOf(args) === 'help' ? [...args.filter((arg) => arg !== 'help'), '--help'] : args
    await addCommands(program, commandOf(words))
    await program.parseAsync(words, { from: 'user' })
  } catch (error) {
    if (error instanceof Interrupted) dieOf(error.signal)
    else process.exitCode = fail(error, outputFor(args))
  }
}

/** The first word that is no option, and not the value of the one that has a value and may stand before a command. */
function commandOf(args: readonly string[]): string | undefined {
  return args.find((arg, index) => !arg.startsWith('-') && args[index - 1] !== '--config')
}

/** Also for a command line that could not be read to its end. */
function outputFor(args: readonly string[]): Output {
  return new Output({ json: args.includes('--json'), color: !args.includes('--no-color') })
}
