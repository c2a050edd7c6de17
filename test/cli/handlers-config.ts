/** The configuration of the commands that `handlers.test.ts` runs. */

import { defineConfig, on } from '../../src/index.ts'

export default defineConfig({
  handlers: [
    on(
      'user.created',
      ({ event }) => {
        throw new Error(`no shelf for ${event.data.id}`)
      },
      { name: 'shelve', retries: 0 },
    ),
    on(
      'email.created',
      () => {
        throw new Error('the mail server is down')
      },
      { name: 'mail', retries: 0 },
    ),
    on('user.*', () => undefined, { name: 'greet' }),
  ],
})
