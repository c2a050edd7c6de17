/** `clerk-sync completion`: prints a script that teaches a shell this command line. */

import { Argument, type Command, type Option } from 'commander'
import { EVENT_TYPES, RESOURCES } from '../../clerk/catalogue.ts'
import { EXPLANATIONS } from '../../explanations/catalogue.ts'
import { OUTCOMES } from '../../inspect/events.ts'
import { withExamples } from '../options.ts'
import { Output } from '../output.ts'
import { quote } from '../text.ts'

export function register(command: Command): void {
  withExamples(command, [
    ['source <(clerk-sync completion bash)', 'in ~/.bashrc'],
    ['source <(clerk-sync completion zsh)', 'in ~/.zshrc, after compinit'],
    ['clerk-sync completion fish | source', 'in ~/.config/fish/config.fish'],
  ])
  command
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .action((shell: Shell, _, self: Command) => {
      const { stdout } = new Output(self.optsWithGlobals())
      stdout.exact(SCRIPTS[shell](placesOf(self.parent as Command)))
    })
}

const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]

const SCRIPTS: Readonly<Record<Shell, (places: readonly Place[]) => string>> = { bash, zsh, fish }

/** https://www.gnu.org/software/bash/manual/html_node/Programmable-Completion.html */
function bash(places: readonly Place[]): string {
  return `# source <(clerk-sync completion bash)
_clerk_sync() {
  local at='' words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
      ${patterns(places)}) at="$at \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at \${COMP_WORDS[COMP_CWORD - 1]}" in
${valued(places, ({ values }) => `words=${quote(values.join(' '))}`)}
    *)
      case "$at" in
${places.map((place) => `        ${quote(place.at)}) words=${quote(wordsOf(place).join(' '))} ;;`).join('\n')}
      esac
      ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _clerk_sync clerk-sync
`
}

/** https://zsh.sourceforge.io/Doc/Release/Completion-System.html */
function zsh(places: readonly Place[]): string {
  return `#compdef clerk-sync
# source <(clerk-sync completion zsh), after compinit
_clerk_sync() {
  local at='' word
  local -a candidates
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$at $word" in
      ${patterns(places)}) at="$at $word" ;;
    esac
  done
  case "$at \${words[CURRENT-1]}" in
${valued(places, ({ values }) => `candidates=(${values.map(quote).join(' ')})`)}
    *)
      case "$at" in
${places.map((place) => `        ${quote(place.at)}) candidates=(${described(place).join(' ')}) ;;`).join('\n')}
      esac
      ;;
  esac
  if ((\${#candidates})); then _describe -o clerk-sync candidates; else _files; fi
}
compdef _clerk_sync clerk-sync
`
}

/** https://fishshell.com/docs/current/completions.html */
function fish(places: readonly Place[]): string {
  const lines = places.flatMap((place) => {
    const start = `complete -c clerk-sync -n "__clerk_sync_at '${place.at}'"`
    return [
      ...place.commands.map(({ word, meaning }) => `${start} -f -a ${word} -d ${quoteFish(meaning)}`),
      ...(place.values.length > 0 ? [`${start} -f -a ${quoteFish(place.values.join(' '))}`] : []),
      ...place.options.map((option) => `${start} ${fishOption(option)}`),
    ]
  })
  return `# clerk-sync completion fish | source
function __clerk_sync_at
  set -l at ''
  set -l words (commandline -opc)
  for word in $words[2..]
    switch "$at $word"
      case ${commandPaths(places).map(quoteFish).join(' ')}
        set at "$at $word"
    end
  end
  test "$at" = "$argv[1]"
end
${lines.join('\n')}
`
}

function fishOption({ words, meaning, takesValue, values }: CompletedOption): string {
  const names = words.map((word) => (word.startsWith('--') ? `-l ${word.slice(2)}` : `-s ${word.slice(1)}`))
  const value = values.length > 0 ? [`-x -a ${quoteFish(values.join(' '))}`] : takesValue ? ['-r'] : ['-f']
  return [...names, ...value, `-d ${quoteFish(meaning)}`].join(' ')
}

function commandPaths(places: readonly Place[]): string[] {
  return places.map(({ at }) => at).filter((at) => at !== '')
}

function patterns(places: readonly Place[]): string {
  return commandPaths(places).map(quote).join(' | ')
}

/** What follows an option with a value: the values that are known, else files. */
function valued(places: readonly Place[], assign: (option: CompletedOption) => string): string {
  return places
    .flatMap(({ at, options }) =>
      options
        .filter(({ takesValue }) => takesValue)
        .map((option) => {
          const names = option.words.map((word) => quote(`${at} ${word}`)).join(' | ')
          return `    ${names}) ${assign(option)} ;;`
        }),
    )
    .join('\n')
}

function wordsOf({ commands, options, values }: Place): string[] {
  return [...commands.map(({ word }) => word), ...values, ...options.flatMap(({ words }) => words)]
}

function described({ commands, options, values }: Place): string[] {
  const explained = [...commands, ...options].map(({ word, meaning }) => quote(`${word}:${meaning}`))
  return [...explained, ...values.map(quote)]
}

/** In fish a backslash escapes inside single quotes as well. */
function quoteFish(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

/** A word, with what it means. */
interface Candidate {
  readonly word: string
  readonly meaning: string
}

interface CompletedOption extends Candidate {
  /** As `--port`, `-V`. */
  readonly words: readonly string[]
  readonly takesValue: boolean
  /** The values that are known; none may mean any. */
  readonly values: readonly string[]
}

/** A place on the command line: after these commands. */
interface Place {
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
function placesOf(command: Command, at = ''): Place[] {
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
