/** Who gets in, and what he may do: asked of the real server by a real browser. */

import { expect, it } from 'vitest'
import type { Scene } from '../scene.ts'

export function access(scene: () => Scene): void {
  it('asks for the token, says that a wrong one is wrong, and ends the session', async () => {
    const { stage, browser } = scene()
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(`${stage.url}events`)
    await page.getByLabel('Dashboard token').fill('some other token')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').waitFor()
    await page.getByLabel('Dashboard token').fill(scene().token)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Events' }).waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('Dashboard token').waitFor()
    await context.close()
  })

  it.each([
    ['viewer', []],
    ['operator', ['Retry all…', 'Mute', 'Pause syncCrm']],
    ['admin', ['Retry all…', 'Mute', 'Pause syncCrm', 'Discard…']],
  ] as const)('shows a %s what he may do, and nothing else', async (role, buttons) => {
    const { stage, browser } = scene()
    stage.crm.isDown = true
    await stage.deliver(stage.clerk.act('createUser'))
    await expect
      .poll(() =>
        stage.sync.database
          .selectFrom('handler_runs')
          .select('event_id')
          .where('status', '=', 'retrying')
          .execute(),
      )
      .not.toEqual([])
    stage.crm.isDown = false
    const context = await browser.newContext({ extraHTTPHeaders: { 'x-role': role } })
    const page = await context.newPage()
    await page.goto(`${stage.rolesUrl}failures`)
    const group = page.getByRole('region', { name: /syncCrm: / })
    await group.getByText('retrying', { exact: true }).first().waitFor()
    const shown = await group
      .locator('.actions')
      .first()
      .getByRole('button')
      .allInnerTexts()
      .catch(() => [])
    expect(shown.filter((text) => text !== 'Retry one event')).toEqual(buttons)
    await context.close()
  })

  it('lets nobody in whom the host does not know, and says where to sign in', async () => {
    const { stage, browser } = scene()
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(stage.rolesUrl)
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    expect(await page.getByRole('navigation').count()).toBe(0)
    await context.close()
  })

  it('refuses what another site makes the browser send', async () => {
    const { stage, context, page } = scene()
    const url = `${stage.url}api/handlers/syncCrm/pause`
    const foreign = await context.newPage()
    await foreign.route('http://evil.example/**', (route) =>
      route.fulfill({ contentType: 'text/html', body: '<p>evil</p>' }),
    )
    await foreign.goto('http://evil.example/')
    const outcome = await foreign.evaluate(
      (address) =>
        fetch(address, {
          method: 'POST',
          credentials: 'include',
          mode: 'no-cors',
          body: '{"reason":"x"}',
        }).then(
          ({ type }) => type,
          () => 'blocked',
        ),
      url,
    )
    expect(['opaque', 'blocked']).toContain(outcome)
    const own = await page.evaluate(
      (address) => fetch(address, { method: 'POST', body: '{"reason":"x"}' }).then(({ status }) => status),
      url,
    )
    expect(own).toBe(403)
    const paused = await stage.sync.database
      .selectFrom('handlers')
      .selectAll()
      .where('paused_at', 'is not', null)
      .execute()
    expect(paused).toEqual([])
    await foreign.close()
  })
}
