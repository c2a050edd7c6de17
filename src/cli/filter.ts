/** The options that choose events. */

import type { Command } from 'commander'
import { RESOURCES } from '../clerk/catalogue.ts'
import type { EventFilter, Outcome } from '../index.ts'
import { OUTCOMES } from '../inspect/events.ts'
import { collect, collectFrom, parseTime } from './options.ts'

export interface FilterOptions {
  readonly type?: readonly string[]
  readonly outcome?: readonly Outcome[]
  readonly resource?: readonly string[]
  readonly subject?: readonly string[]
  readonly since?: Date
  readonly until?: Date
}

export function withFilterOptions(command: Command): Command {
  return command
    .option('--type <type>', 'event type, or user.* for all user events; repeatable', collect)
    .option('--outcome <outcome>', `${OUTCOMES.join(', ')}; repeatable`, collectFrom(OUTCOMES))
    .option('--resource <table>', 'users, organizations, …; repeatable', collectFrom([...RESOURCES.keys()]))
    .option('--subject <id>', 'Clerk id of the resource that the event is about, user_…; repeatable', collect)
    .option('--since <time>', 'received at or after: 2026-11-01T09:30, or 1h for an hour ago', parseTime)
    .option('--until <time>', 'received before', parseTime)
}

export function toFilter({ type, outcome, resource, subject, since, until }: FilterOptions): EventFilter {
  return { types: type, outcomes: outcome, resources: resource, resourceIds: subject, since, until }
}

export function isEmpty(filter: EventFilter): boolean {
  return Object.values(filter).every((condition) => condition === undefined)
}
