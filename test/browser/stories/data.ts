/** The data itself: filled from nothing, compared and repaired row by row, applied again in bulk. */

import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { Scene } from '../scene.ts'
import type { Stage } from '../stage.ts'

export function data(scene: () => Scene): void {
  it('fills the tables from nothing, and shows how far it is, also after a reload', async () => {
    const { stage, page } = scene()
    // What nobody tells of: only a backfill finds it.
    for (let i = 0; i < 12; i++) stage.clerk.act('createUser')
    await page.goto(`${stage.url}jobs`)
    await page.getByRole('button', { name: 'Start a backfill' }).click()
    const dialog = page.getByRole('dialog', { name: 'Start a backfill' })
    await dialog.getByRole('button', { name: 'Start' }).click()
    // A job may wait for the lock of one that ended badly.
    await page.getByRole('table', { name: 'Progress' }).waitFor({ timeout: 30_000 })
    await page.reload()
    await page
      .getByRole('status')
      .getByText(/done|incomplete/)
      .waitFor()
    const users = page.getByRole('row', { name: /^Users/ })
    await users.getByText('done').waitFor()
    const missing = await Promise.all(
      [...stage.clerk.resources('users').keys()].map((id) =>
        stage.sync.database.selectFrom('users').select('id').where('id', '=', id).executeTakeFirst(),
      ),
    )
    expect(missing.filter((row) => row === undefined)).toEqual([])
  })

  it('shows in which fields a row differs from Clerk, and applies Clerk’s version', async () => {
    const { stage, page } = scene()
    const created = stage.clerk.act('createUser')
    const id = String(created[0]?.data.id)
    await stage.deliver(created)
    const before = await stage.sync.users.ensure(id)
    // Nobody delivers what it tells of this.
    stage.clerk.act('updateUser', id)
    await page.goto(`${stage.url}resources/users/${id}`)
    await page.getByRole('button', { name: 'Compare with Clerk' }).click()
    const comparison = page.getByRole('region', { name: 'Compared with Clerk' })
    await comparison
      .getByRole('row', { name: /^updated_at/ })
      .getByText('differs')
      .waitFor()
    await comparison.getByRole('button', { name: 'Apply Clerk’s version' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Apply' }).click()
    await comparison.getByText('same as in Clerk').waitFor()
    const after = await stage.sync.users.ensure(id)
    expect(after?.clerk_updated_at?.getTime()).toBeGreaterThan(before?.clerk_updated_at?.getTime() ?? 0)
  })

  it('lets things happen in the simulator: by themselves, at a rate, and as a scenario', async () => {
    const { stage, page } = scene()
    await page.goto(`${stage.url}simulator`)
    const traffic = page.getByRole('region', { name: 'Traffic' })
    await traffic.getByRole('button', { name: 'Start' }).click()
    await traffic.getByText('Simulated users').waitFor()
    await traffic.getByRole('slider').press('ArrowRight')
    await traffic.getByText('2 per second').waitFor()
    await page.reload()
    await traffic.getByText('2 per second').waitFor()
    await traffic.getByRole('button', { name: 'Stop' }).click()
    await traffic.getByText('Simulated traffic is stopped.').waitFor()
    await page.getByRole('button', { name: 'Somebody signs up' }).click()
    await page.getByText(/Somebody signs up: \d+ events? answered\./).waitFor()
  })

  it('sends an edited copy of an event as a new one, where a simulator signs', async () => {
    const { stage, page } = scene()
    const created = stage.clerk.act('createUser')
    await stage.deliver(created)
    await page.goto(`${stage.url}resources/users/${created[0]?.data.id}?tab=history`)
    await page.getByRole('link', { name: 'user.created' }).first().click()
    const before = page.url()
    await page.getByRole('button', { name: 'Edit and replay…' }).click()
    const dialog = page.getByRole('dialog', { name: 'Edit and replay user.created' })
    const data = JSON.parse(await dialog.getByLabel('Data').inputValue())
    await dialog.getByLabel('Data').fill('{')
    await dialog.getByRole('button', { name: 'Send' }).click()
    await dialog.getByText('The data is not JSON.').waitFor()
    await dialog.getByLabel('Data').fill(JSON.stringify({ ...data, first_name: 'Grace' }))
    await dialog.getByRole('button', { name: 'Send' }).click()
    await page.getByText(/^Sent user\.created: applied\./).waitFor()
    await expect.poll(() => page.url()).not.toBe(before)
    const row = () =>
      stage.sync.database.selectFrom('users').select('first_name').where('id', '=', data.id).execute()
    expect(await row()).toEqual([{ first_name: 'Grace' }])
  })

  it('shows of a rejected request who sent what, and what was found', async () => {
    const { stage, page } = scene()
    const body = JSON.stringify({ type: 'user.created', data: { first_name: 'Hidden' } })
    const headers = { 'svix-id': 'msg_1', 'svix-timestamp': '1', 'svix-signature': 'v1,secret' }
    await stage.sync.handle({ method: 'POST', headers, body, remoteAddress: '203.0.113.7' })
    await page.goto(`${stage.url}rejected`)
    const group = page.locator('#signature_mismatch')
    await expect
      .poll(async () => {
        await page.reload()
        await group.getByText('Latest requests').click()
        await group.locator('.samples details').first().click()
        return group.innerText()
      })
      .toMatch(/203\.0\.113\.7[\s\S]*svix-signature[\s\S]*"first_name":"•••"/)
  })

  it('exports what is filtered, and copies an event as commands', async () => {
    const { stage, page, context } = scene()
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.goto(`${stage.url}events?type=user.created`)
    await page.getByRole('button', { name: 'Export' }).click()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'CSV' }).click(),
    ])
    expect(download.suggestedFilename()).toBe('clerk-sync-events.csv')
    const lines = readFileSync(await download.path(), 'utf8')
      .trim()
      .split('\r\n')
    expect(lines.length).toBeGreaterThan(1)
    expect(lines.slice(1).every((line) => line.includes('"user.created"'))).toBe(true)

    await page.getByRole('row').nth(1).getByRole('link').first().click()
    for (const [item, command] of [
      ['Copy as curl (unsigned)', /^curl -i '.*\/webhooks\/clerk' \\\n {2}-H 'content-type/],
      ['Copy as a trigger command', /^printf %s '\{.*\| clerk-sync trigger 'user\.created' --data -$/s],
    ] as const) {
      await page.getByRole('button', { name: 'Copy', exact: true }).first().click()
      await page.getByRole('button', { name: item }).click()
      await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toMatch(command)
    }
  })

  it('replays what a filter means as a job, counted first', async () => {
    const { stage, page } = scene()
    await page.goto(`${stage.url}events?type=user.*`)
    await page.getByRole('button', { name: 'Replay all…' }).click()
    const dialog = page.getByRole('dialog', { name: /^Replay [\d,]+ events?$/ })
    await dialog.getByText('will be applied again, oldest first').waitFor()
    await dialog.getByRole('button', { name: /^Replay \d+/ }).click()
    await page.getByRole('status').getByText('done').waitFor()
    await page.goto(`${stage.url}jobs`)
    await page
      .getByRole('row', { name: /done.*[Rr]eplay/ })
      .first()
      .waitFor()
  })

  it('keeps the filter in the address, and new events behind a button', async () => {
    const { stage, page } = scene()
    await page.goto(`${stage.url}events`)
    const rows = page.getByRole('table', { name: 'Events' }).getByRole('row')
    await rows.nth(3).waitFor()
    const link = rows.nth(1).getByRole('link')
    const before = await link.getAttribute('href')
    await stage.deliver(stage.clerk.act('createOrganization'))
    await page.getByRole('button', { name: /▲ \d+ new event/ }).waitFor()
    expect(await link.getAttribute('href')).toBe(before)
    await page.getByRole('button', { name: /▲ \d+ new event/ }).click()
    await page.getByRole('link', { name: 'organization.created' }).first().waitFor()

    await page.getByRole('button', { name: 'Outcome' }).click()
    await page.getByLabel('stale').check()
    expect(new URL(page.url()).searchParams.get('outcome')).toBe('stale')
    await page.keyboard.press('Escape')
    await page.getByLabel('Filter').fill('type:user.created')
    await page.keyboard.press('Enter')
    expect(new URL(page.url()).search).toBe('?type=user.created')
    await page.reload()
    expect(await page.getByLabel('Filter').inputValue()).toBe('type:user.created')
  })

  it('keeps what is selected while an event is looked at, and offers no replay that is refused', async () => {
    const { stage, page } = scene()
    await stage.deliver(stage.clerk.act('createUser'))
    await page.goto(`${stage.url}events?since=1h&type=user.created`)
    const rows = page.getByRole('table', { name: 'Events' }).getByRole('row')
    await rows.nth(1).getByRole('checkbox').check()
    const replay = page.getByRole('button', { name: 'Replay 1 selected' })
    await replay.waitFor()
    // Some minutes later an hour ago is another moment.
    await page.evaluate(() => {
      const { now } = Date
      Date.now = () => now() + 180_000
    })
    await rows.nth(1).getByRole('link').click()
    await page.getByRole('link', { name: 'Payload' }).click()
    await page.locator('a[aria-current="page"]', { hasText: 'Payload' }).waitFor()
    expect(await replay.count()).toBe(1)

    await page.goto(`${stage.url}events?source=webhook`)
    await rows.nth(1).waitFor()
    expect(await page.getByRole('button', { name: 'Replay all…' }).count()).toBe(0)
  })

  it('says without a stream too that events are new', async () => {
    const { stage, browser, context } = scene()
    const streamless = await browser.newContext({ storageState: await context.storageState() })
    const page = await streamless.newPage()
    await page.route('**/api/live', (route) => route.abort())
    await stage.deliver(stage.clerk.act('createUser'))
    await page.goto(`${stage.url}events`)
    const rows = page.getByRole('table', { name: 'Events' }).getByRole('row')
    const link = rows.nth(1).getByRole('link')
    await link.waitFor()
    const before = await link.getAttribute('href')
    await stage.deliver(stage.clerk.act('createOrganization'))
    const button = page.getByRole('button', { name: /▲ \d+ new event/ })
    await button.waitFor()
    expect(await link.getAttribute('href')).toBe(before)
    await button.click()
    await expect.poll(() => link.getAttribute('href'), { timeout: 10_000 }).not.toBe(before)
    await streamless.close()
  })

  it('loads a page whose answers are called old while it is being drawn', async () => {
    const { stage, context } = scene()
    const page = await context.newPage()
    // The stream tells of jobs whenever something was drawn, before the page has begun to listen to its answers.
    await page.addInitScript(() => {
      const streams: EventSource[] = []
      window.EventSource = class extends EventSource {
        constructor(url: string | URL) {
          super(url)
          streams.push(this)
        }
      }
      const tell = () => {
        for (const stream of streams)
          stream.onmessage?.(new MessageEvent('message', { data: '{"kind":"jobs"}' }))
      }
      new MutationObserver(tell).observe(document, { childList: true, subtree: true })
    })
    await page.goto(stage.url)
    await page.getByText('live', { exact: true }).waitFor()
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Jobs' }).click()
    await page.getByRole('table', { name: 'Jobs' }).waitFor()
    await page.close()
  })

  it('masks personal data until somebody asks, and writes down who did', async () => {
    const { stage, page } = scene()
    const { id, address } = await someAddress(stage)
    await page.goto(`${stage.url}resources/users/${id}`)
    await page.getByText('personal data is masked').waitFor()
    expect(await page.getByRole('main').innerText()).not.toContain(address)
    await page.getByRole('button', { name: 'Reveal' }).click()
    await page.getByText(address).first().waitFor()
    await page.goto(`${stage.url}settings`)
    await page.getByRole('table', { name: 'Who did what' }).getByText('reveal').first().waitFor()
  })

  it('folds empty fields away, in rows and in payloads', async () => {
    const { stage, page } = scene()
    const { id } = await someAddress(stage)
    await page.goto(`${stage.url}resources/users/${id}`)
    const folded = page.getByText(/^\d+ empty fields?$/).filter({ visible: true })
    await folded.first().waitFor()
    expect(await page.getByText('null', { exact: true }).first().isVisible()).toBe(false)
    await folded.first().click()
    await page.getByText('null', { exact: true }).first().waitFor()
    await page.getByRole('link', { name: 'Clerk’s JSON' }).click()
    await folded.first().waitFor()
  })

  it('shows what becomes of a row that was revealed', async () => {
    const { stage, page } = scene()
    const created = stage.clerk.act('createUser')
    const id = String(created[0]?.data.id)
    await stage.deliver(created)
    await page.goto(`${stage.url}resources/users/${id}`)
    await page.getByRole('button', { name: 'Reveal' }).click()
    await page.getByText('personal data is masked').waitFor({ state: 'detached' })
    await stage.deliver(stage.clerk.act('updateUser', id))
    await page.getByText('personal data is masked').waitFor()
  })

  it('finds a user by his address', async () => {
    const { stage, page } = scene()
    const { id, address } = await someAddress(stage)
    await page.goto(stage.url)
    // What listens to keys is there by then.
    await page.getByText('live', { exact: true }).waitFor()
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').fill(address)
    await page.getByRole('option').first().waitFor()
    await page.keyboard.press('Enter')
    await expect.poll(() => new URL(page.url()).pathname).toContain(`/resources/users/${id}`)
  })
}

async function someAddress({ sync }: Stage): Promise<{ id: string; address: string }> {
  const { id, primary_email_address } = await sync.database
    .selectFrom('users')
    .select(['id', 'primary_email_address'])
    .where('primary_email_address', 'is not', null)
    .where('deleted_at', 'is', null)
    .executeTakeFirstOrThrow()
  return { id, address: String(primary_email_address) }
}
