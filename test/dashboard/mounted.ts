/** What the dashboard must do wherever it is mounted. */

import { describe, expect, it } from 'vitest'
import type { DashboardOptions } from '../../src/dashboard/index.ts'
import type { ClerkSync } from '../../src/index.ts'
import { embeddedDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'

interface Mounted {
  readonly port: number
  stop(): Promise<unknown>
}

interface Mount {
  /** Serves it at `/dashboard` for whom the header `x-person` names, and at `/closed` without `authorize`, in production. */
  serve(sync: ClerkSync): Promise<Mounted>
}

/** Whom the app knows. */
export const authorize: NonNullable<DashboardOptions['authorize']> = (request) => {
  const name = request.headers.get('x-person')
  return name === null ? null : { name, role: 'operator' }
}

const PERSON = { 'x-person': 'ada@example.com' }
const OWN_PAGE = { 'x-clerk-sync-csrf': '1', 'content-type': 'application/json' }

export function describeMounted(name: string, { serve }: Mount): void {
  describe(`the dashboard in ${name}`, () => {
    const database = embeddedDatabase()

    it('shows its page with its files, and knows whom the app knows', async () => {
      const { port, stop } = await serve(await database.open())
      const base = `http://127.0.0.1:${port}/dashboard`
      const page = await fetch(base)
      const html = await page.text()
      expect([page.status, page.headers.get('content-security-policy')]).toEqual([
        200,
        expect.stringContaining('nonce-'),
      ])
      expect(html).toContain('<base href="/dashboard/"')
      const script = /<script[^>]*src="([^"]+)"/.exec(html)?.[1] as string
      const file = await fetch(new URL(script, `${base}/`))
      expect([file.status, file.headers.get('content-type'), file.headers.get('cache-control')]).toEqual([
        200,
        expect.stringContaining('javascript'),
        expect.stringContaining('immutable'),
      ])
      expect((await file.text()).length).toBeGreaterThan(10_000)
      expect((await fetch(`${base}/events/msg_1`)).status).toBe(200)

      const stranger = await fetch(`${base}/api/session`)
      expect([stranger.status, await stranger.json()]).toMatchObject([
        401,
        { code: 'sign_in_required', signIn: 'external' },
      ])
      const session = await fetch(`${base}/api/session`, { headers: PERSON })
      expect([session.status, await session.json()]).toMatchObject([
        200,
        { name: 'ada@example.com', role: 'operator' },
      ])
      await stop()
    })

    it('takes actions of its own page only, and streams what happens', async () => {
      const sync = await database.open()
      const { port, stop } = await serve(sync)
      await deliver(sync, eventOf('user.created'), { id: 'msg_mounted' })
      const api = `http://127.0.0.1:${port}/dashboard/api`
      const replay = (headers: Record<string, string>) =>
        fetch(`${api}/events/msg_mounted/replay`, { method: 'POST', headers, body: '{}' })
      expect([
        (await replay({ ...PERSON, ...OWN_PAGE })).status,
        (await replay(PERSON)).status,
        (await replay(OWN_PAGE)).status,
      ]).toEqual([200, 403, 401])

      const leaving = new AbortController()
      const live = await fetch(`${api}/live`, { headers: PERSON, signal: leaving.signal })
      const reader = live.body?.pipeThrough(new TextDecoderStream()).getReader()
      expect([live.headers.get('content-type'), (await reader?.read())?.value]).toEqual([
        'text/event-stream; charset=utf-8',
        expect.stringContaining('retry'),
      ])
      leaving.abort()
      await stop()
    })

    it('is closed in production without `authorize` and token, for this machine too', async () => {
      const { port, stop } = await serve(await database.open())
      for (const path of ['', '/api/overview', '/api/session']) {
        const response = await fetch(`http://127.0.0.1:${port}/closed${path}`, { headers: PERSON })
        expect([path, response.status]).toEqual([path, 403])
      }
      await stop()
    })
  })
}
