/**
 * The settings of this browser: the theme, and whether single-key shortcuts are on. Everything works without storage.
 */

import { Store } from './store.ts'

export type Theme = 'system' | 'light' | 'dark'

export const theme = new Store<Theme>(read('theme', ['system', 'light', 'dark']))

/** Single keys interfere with speech input, so that they can be switched off. */
export const singleKeys = new Store<'on' | 'off'>(read('keys', ['on', 'off']))

export function setTheme(value: Theme): void {
  theme.set(value)
  if (value === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = value
  remember('theme', value === 'system' ? null : value)
}

export function setSingleKeys(value: 'on' | 'off'): void {
  singleKeys.set(value)
  remember('keys', value === 'on' ? null : value)
}

/** The first of the values unless another one is remembered. */
function read<Value extends string>(name: string, values: readonly [Value, ...Value[]]): Value {
  try {
    const remembered = localStorage.getItem(`clerk-sync.${name}`)
    return values.find((value) => value === remembered) ?? values[0]
  } catch {
    return values[0]
  }
}

function remember(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`clerk-sync.${name}`)
    else localStorage.setItem(`clerk-sync.${name}`, value)
  } catch {
    // Storage can be forbidden.
  }
}
