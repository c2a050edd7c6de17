/** `clerk-sync events`: what was received, and applying it again. */

import type { Command } from 'commander'
import { withExamples } from '../options.ts'
import { registerList } from './events-list.ts'
import { registerReplay } from './events-replay.ts'
import { registerShow } from './events-show.ts'

export function register(command: Command): void {
  withExamples(command.helpCommand(false), [
    ['clerk-sync events list --since 1h', 'events of the last hour'],
    ['clerk-sync events show msg_2Lh9KRb…', 'facts, changes and payload of one event'],
    ['clerk-sync events replay --outcome failed', 'apply failed events again, after you fixed the cause'],
  ])
  registerList(command.command('list').summary('list events, newest first'))
  registerShow(command.command('show').summary('show one event'))
  registerReplay(command.command('replay').summary('apply recorded events again'))
}
