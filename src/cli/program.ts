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
const COMMANDS: Readonly<Record<string, { summary: string; load: () => Promise<CommandModule> }>> = {
  demo: {
    summary: 'see clerk-sync at work and checked, without an account or a network',
    load: () => import('./commands/demo.ts'),
  },
  init: {
    summary: 'add the webhook route and the configuration to an app',
    load: () => import('./commands/init.ts'),
  },
  dev: {
    summary: 'run a server, a database and traffic, for development',
    load: () => import('./commands/dev.ts'),
  },
  start: {
    summary: 'receive webhooks and keep the tables up to date',
    load: () => import('./commands/start.ts'),
  },
  migrate: {
    summary: 'create or update the tables',
    load: () => import('./commands/migrate.ts'),
  },
  maintain: {
    summary: 'delete data that is past its retention',
    load: () => import('./commands/maintain.ts'),
  },
  backfill: {
    summary: 'import existing data from Clerk',
    load: () => import('./commands/backfill.ts'),
  },
  reconcile: {
    summary: 'compare the tables with Clerk and repair differences',
    load: () => import('./commands/reconcile.ts'),
  },
  erase: {
    summary: 'remove what is stored of a user',
    load: () => import('./commands/erase.ts'),
  },
  status: {
    summary: 'show a one-line health summary',
    load: () => import('./commands/status.ts'),
  },
  events: {
    summary: 'list, show and replay received events',
    load: () => import('./commands/events.ts'),
  },
  handlers: {
    summary: 'list and pause handlers, or run one for past events',
    load: () => import('./commands/handlers.ts'),
  },
  failures: {
    summary: 'list, retry and discard failed handler runs',
    load: () => import('./commands/failures.ts'),
  },
  trigger: {
    summary: 'send a signed sample event to a webhook route',
    load: () => import('./commands/trigger.ts'),
  },
  simulate: {
    summary: 'send traffic from a simulated Clerk to a webhook route',
    load: () => import('./commands/simulate.ts'),
  },
  schema: {
    summary: 'print the synced tables for SQL, Drizzle, Prisma or Kysely',
    load: () => import('./commands/schema.ts'),
  },
  config: {
    summary: 'show every option, its value and where the value comes from',
    load: () => import('./commands/config.ts'),
  },
  doctor: {
    summary: 'diagnose configuration, database, route and traffic',
    load: () => import('./commands/doctor.ts'),
  },
  explain: {
    summary: 'explain an error code and its remedy',
    load: () => import('./commands/explain.ts'),
  },
  mcp: {
    summary: 'serve status, events and failures to agents (Model Context Protocol)',
    load: () => import('./commands/mcp.ts'),
  },
  [COMPLETION]: {
    summary: 'print a completion script for bash, zsh or fish',
    load: () => import('./commands/completion.ts'),
  },
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
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
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
