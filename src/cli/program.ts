/** The command line: names the commands, loads the one that is asked for, and turns errors into exit codes. */

import { Command, Option } from 'commander'
import { readVersion } from '../version.ts'
import { loadEnvironmentFiles } from './environment.ts'
import { fail } from './failure.ts'
import { dieOf, Interrupted } from './interruption.ts'
import { withExamples } from './options.ts'
import { Output } from './output.ts'

/** A module of `commands/`: adds its arguments, options and action to the command of its name. */
interface CommandModule {
  register(command: Command): void
}

/** It tells of every command, so that all are loaded for it. */
const COMPLETION = 'completion'

/** By name. Loaded when called, so that asking for help does not wait for database drivers. */
const COMMANDS: Readonly<Record<string, { summary: string; load: () => Promise<CommandModule> }>> = {
  demo: {
    summary: 'see and prove the main job, without an account or a network',
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
    summary: 'receive webhooks and keep the tables in step',
    load: () => import('./commands/start.ts'),
  },
  migrate: {
    summary: 'create or update the tables',
    load: () => import('./commands/migrate.ts'),
  },
  maintain: {
    summary: 'forget what is past its retention, now',
    load: () => import('./commands/maintain.ts'),
  },
  backfill: {
    summary: 'fill the tables with what there was before any event',
    load: () => import('./commands/backfill.ts'),
  },
  reconcile: {
    summary: 'compare the tables with Clerk, and repair what differs',
    load: () => import('./commands/reconcile.ts'),
  },
  erase: {
    summary: 'remove what is stored of a user',
    load: () => import('./commands/erase.ts'),
  },
  status: {
    summary: 'say in one sentence how it is',
    load: () => import('./commands/status.ts'),
  },
  events: {
    summary: 'list, show and replay what was received',
    load: () => import('./commands/events.ts'),
  },
  handlers: {
    summary: 'list and pause handlers, run one for the past',
    load: () => import('./commands/handlers.ts'),
  },
  failures: {
    summary: 'list, retry and discard failed runs of handlers',
    load: () => import('./commands/failures.ts'),
  },
  trigger: {
    summary: 'send a signed sample event to a webhook route',
    load: () => import('./commands/trigger.ts'),
  },
  simulate: {
    summary: 'let a simulated Clerk send its traffic to a webhook route',
    load: () => import('./commands/simulate.ts'),
  },
  schema: {
    summary: 'print the synced tables for SQL, Drizzle, Prisma or Kysely',
    load: () => import('./commands/schema.ts'),
  },
  config: {
    summary: 'show every option and where its value is from',
    load: () => import('./commands/config.ts'),
  },
  doctor: {
    summary: 'find out what is wrong',
    load: () => import('./commands/doctor.ts'),
  },
  explain: {
    summary: 'tell what a code means and what to do',
    load: () => import('./commands/explain.ts'),
  },
  mcp: {
    summary: 'serve status, events and failures to agents (Model Context Protocol)',
    load: () => import('./commands/mcp.ts'),
  },
  [COMPLETION]: {
    summary: 'print a script for the completion of bash, zsh or fish',
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
    .option('--json', 'data and errors as JSON, one object a line')
    .option('--quiet', 'nothing but data and errors')
    .option('--no-color', 'no colours (NO_COLOR)')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: () => undefined })
    .exitOverride()
  withExamples(program, [
    ['clerk-sync demo', 'see what it does, in ten seconds'],
    ['clerk-sync start', 'receive webhooks, here and now, without a database of your own'],
    ['clerk-sync trigger user.created', 'send it a signed sample event'],
    ['clerk-sync events list', 'see what became of it'],
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
