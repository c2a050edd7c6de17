/** Handlers as they should not be, for `start.system.ts`. */

import { defineConfig, on } from '../../src/index.ts'

export default defineConfig({
  handlers: [
    on(
      'user.created',
      ({ log }) => {
        // Lines that look like the server's own, and one without fields, as JavaScript may write it.
        for (const message of ['handler', 'delivery', 'delivery refused']) log.warn({ amount: 12n }, message)
        log.info('just text' as never, undefined as never)
        void Promise.reject(new Error('nobody waits for this'))
      },
      { name: 'careless' },
    ),
  ],
})
