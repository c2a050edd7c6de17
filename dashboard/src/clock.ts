/** The present moment, for ages that grow while one looks at them. */

import { Store, useStore } from './store.ts'

const now = new Store(Date.now())
setInterval(() => document.hidden || now.set(Date.now()), 1_000)
document.addEventListener('visibilitychange', () => now.set(Date.now()))

export function useNow(): number {
  return useStore(now)
}
