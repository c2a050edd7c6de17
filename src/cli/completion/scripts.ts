/** The scripts that teach shells the command line. Each finds the place by the commands so far, as the tree names it. */

import type { CompletedOption, Place } from './tree.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

export const SCRIPTS: Readonly<Record<Shell, (places: readonly Place[]) => string>> = { bash, zsh, fish }

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

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** In fish a backslash escapes inside single quotes as well. */
function quoteFish(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
