/** A handler begins to fail at night; whoever is on call sees it, understands it, tries the fix with one, does the rest. */

import { expect, it } from 'vitest'
import type { Scene } from '../scene.ts'
import type { Stage } from '../stage.ts'

export function onCall(scene: () => Scene): void {
  it('goes from failing to green: the sentence, the group, one as a test, then all', async () => {
    const { stage, page } = scene()
    stage.crm.isDown = true
    await stage.deliver(Array.from({ length: 4 }, () => stage.clerk.act('createUser')).flat())
    await expect.poll(() => failing(stage)).toBeGreaterThan(3)
    await page.goto(stage.url)
    const status = page.getByRole('region', { name: 'Status' })
    await status.getByText('Degraded').waitFor()
    await expect.poll(() => status.innerText()).toMatch(/fails? in handler syncCrm .*ECONNREFUSED/)

    await status.getByRole('link', { name: /^Open .* failures?/ }).click()
    const group = page.getByRole('region', { name: /syncCrm: .*ECONNREFUSED/ })
    await group.getByText('tries again').first().waitFor()
    const before = await group.getByRole('row').count()
    expect(before).toBeGreaterThan(3)

    stage.crm.isDown = false
    await group.getByRole('button', { name: 'Retry one as a test' }).click()
    await page.getByText('syncCrm: succeeded.').or(page.getByText('syncCrm: waits.')).waitFor()
    await expect.poll(() => group.getByRole('row').count()).toBeLessThan(before)

    await group.getByRole('button', { name: 'Retry all…' }).click()
    const dialog = page.getByRole('dialog', { name: /^Retry \d+ runs?$/ })
    await dialog.getByText('oldest first').waitFor()
    await dialog.getByLabel('At most, a second').fill('500')
    await dialog.getByRole('button', { name: /^Retry \d+$/ }).click()

    await page.getByRole('heading', { name: /syncCrm/ }).waitFor()
    await page.getByText('done').first().waitFor()
    await page.goto(`${stage.url}failures`)
    await page.getByText('No handler fails.').waitFor()
    await page.goto(stage.url)
    await status.getByText('Healthy').waitFor()
  })

  it('mutes what is known: the status is about the others, until it is unmuted', async () => {
    const { stage, page } = scene()
    stage.crm.isDown = true
    await stage.deliver(stage.clerk.act('createUser'))
    await expect.poll(() => failing(stage)).toBeGreaterThan(0)
    await page.goto(`${stage.url}failures`)
    await page.getByRole('button', { name: 'Mute' }).click()
    await page.getByRole('button', { name: 'for a day' }).click()
    await page.getByText('No handler fails.').waitFor()
    await page.goto(stage.url)
    await page.getByRole('region', { name: 'Status' }).getByText('Healthy').waitFor()

    await page.goto(`${stage.url}failures?state=muted`)
    await page.getByText(/muted, until/).waitFor()
    await page.getByRole('button', { name: 'Unmute' }).click()
    await page.getByText('Nothing is muted.').waitFor()
    await page.goto(stage.url)
    await page.getByRole('region', { name: 'Status' }).getByText('Degraded').waitFor()
    stage.crm.isDown = false
    await stage.sync.handlers.retry({ handlers: ['syncCrm'] }, { perSecond: 1_000 })
    await expect.poll(() => failing(stage)).toBe(0)
  })

  it('pauses a handler with a reason, says so on every visit, and resumes it', async () => {
    const { stage, page } = scene()
    await page.goto(`${stage.url}settings`)
    await page.getByRole('button', { name: 'Pause welcomeEmail' }).click()
    const dialog = page.getByRole('dialog', { name: 'Pause welcomeEmail' })
    await dialog.getByLabel('Reason').fill('the provider is down')
    await dialog.getByRole('button', { name: 'Pause', exact: true }).click()
    await page.getByText('paused: the provider is down').waitFor()
    await page.goto(`${stage.url}failures`)
    await page.getByText('is paused since').waitFor()
    await page.getByRole('button', { name: 'Resume welcomeEmail' }).click()
    await expect.poll(() => page.getByText('is paused since').count()).toBe(0)
    await page.goto(`${stage.url}settings`)
    await page.getByRole('table', { name: 'Who did what' }).getByText('the provider is down').waitFor()
  })
}

async function failing({ sync }: Stage): Promise<number> {
  const runs = await sync.database
    .selectFrom('handler_runs')
    .select('event_id')
    .where('status', '=', 'retrying')
    .execute()
  return runs.length
}
