/** What can be written on a command line, read from commander's tree. */

import type { Command, Option } from 'commander'
import { EVENT_TYPES, RESOURCES } from '../../clerk/catalogue.ts'
import { OUTCOMES } from '../../inspect/events.ts'
import { EXPLANATIONS } from '../explanations.ts'

/** A word, with what it means. */
interface Candidate {
  readonly word: string
  readonly meaning: string
}

export interface CompletedOption extends Candidate {
  /** As `--port`, `-V`. */
  readonly words: readonly string[]
  readonly takesValue: boolean
  /** The values that are known; none may mean any. */
  readonly values: readonly string[]
}

/** A place on the command line: after these commands. */
export interface Place {
  /** With a space before each command: ` events list`; empty at the start. */
  readonly at: string
  readonly commands: readonly Candidate[]
  readonly options: readonly CompletedOption[]
  /** The values that an argument may have. */
  readonly values: readonly string[]
}

/** Of options and arguments whose values come from a list, by their names. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  '--outcome': OUTCOMES,
  '--type': EVENT_TYPES,
  '--resource': [...RESOURCES.keys()],
  types: EVENT_TYPES,
  code: EXPLANATIONS.map(({ code }) => code),
}

/** The place of a command, and those of its own commands. */
export function placesOf(command: Command, at = ''): Place[] {
  const place = {
    at,
    commands: command.commands.map((each) => ({ word: each.name(), meaning: each.summary() })),
    options: optionsOf(command),
    values: command.registeredArguments.flatMap((each) => each.argChoices ?? VALUES[each.name()] ?? []),
  }
  return [place, ...command.commands.flatMap((each) => placesOf(each, `${at} ${each.name()}`))]
}

function optionsOf(command: Command): CompletedOption[] {
  const own = command.createHelp().visibleOptions(command)
  const inherited = command.parent ? optionsOf(command.parent) : []
  const missing = inherited.filter(({ word }) => !own.some((option) => option.long === word))
  return [...own.map(toOption), ...missing.filter(({ word }) => word !== '--version')]
}

function toOption(option: Option): CompletedOption {
  const { long, short, description, required, optional, argChoices } = option
  const words = [long, short].filter((word) => word !== undefined)
  return {
    word: words[0] as string,
    words,
    meaning: description,
    takesValue: required || optional,
    values: argChoices ?? VALUES[long ?? ''] ?? [],
  }
}
