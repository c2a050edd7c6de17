/** Single keys of a terminal, without Enter. */

import { emitKeypressEvents, type Key } from 'node:readline'

export interface Press {
  /** What was typed, if it is a character. */
  readonly text: string | undefined
  /** `return`, `escape`, `backspace`, or a letter with `ctrl+` before it. */
  readonly name: string
}

/** @returns what gives the terminal back: to its own echo, and to its own Ctrl-C */
export function listenForKeys(onPress: (press: Press) => void): () => void {
  const { stdin } = process
  const listener = (text: string | undefined, key: Key) => onPress(toPress(text, key))
  emitKeypressEvents(stdin)
  stdin.setRawMode(true)
  stdin.on('keypress', listener).resume()
  return () => {
    stdin.off('keypress', listener).pause()
    stdin.setRawMode(false)
  }
}

function toPress(text: string | undefined, { name, ctrl, meta, sequence }: Key): Press {
  if (ctrl) return { text: undefined, name: `ctrl+${name}` }
  const isCharacter = text !== undefined && !meta && !/\p{Cc}/u.test(text)
  return { text: isCharacter ? text : undefined, name: name ?? sequence ?? '' }
}
