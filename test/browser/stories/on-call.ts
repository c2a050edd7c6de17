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
    await expect
      .poll(() => status.innerText())
      .toMatch(/ha(s|ve) failed in handler syncCrm since .*: connection refused/)
    await page.getByText(/^\d+ failing in handlers/).waitFor()

    await status.getByRole('link', { name: /^Open .* failures?/ }).click()
    const group = page.getByRole('region', { name: /syncCrm: connection refused/ })
    await group.getByText('retrying', { exact: true }).first().waitFor()
    const before = await group.getByRole('row').count()
    expect(before).toBeGreaterThan(3)

    stage.crm.isDown = false
    await group.getByRole('button', { name: 'Retry one event' }).click()
    await page.getByText(/syncCrm: (succeeded|queued|running)\./).waitFor()
    await expect.poll(() => group.getByRole('row').count()).toBeLessThan(before)

    await group.getByRole('button', { name: 'Retry all…' }).click()
    const dialog = page.getByRole('dialog', { name: /^Retry \d+ runs?$/ })
    await dialog.getByText('oldest first').waitFor()
    await dialog.getByLabel('Maximum per second').fill('500')
    await dialog.getByRole('button', { name: /^Retry \d+$/ }).click()

    await page.getByRole('heading', { name: /syncCrm/ }).waitFor()
    await page.getByText('done').first().waitFor()
    await page.goto(`${stage.url}failures`)
    await page.getByText('No handlers are failing.').waitFor()
    await page.getByRole('link', { name: /^Resolved/ }).click()
    await page
      .getByRole('region', { name: /syncCrm: connection refused/ })
      .getByText('succeeded since')
      .waitFor()
    await page.goto(stage.url)
    await status.getByText('Healthy').waitFor()
  })

  it('shows a stranger the way to the retry of the group: three clicks, nothing to scroll to', async () => {
    const { stage, page } = scene()
    stage.crm.isDown = true
    await stage.deliver(stage.clerk.act('createUser'))
    await expect.poll(() => failing(stage)).toBeGreaterThan(0)
    stage.crm.isDown = false
    await page.goto(stage.url)
    await page.getByText(/(has|have) failed in handler syncCrm/).waitFor()
    const clicks = [
      page.getByRole('link', { name: /^Open .* failures?/ }),
      page.getByRole('button', { name: 'Retry all…' }),
      page.getByRole('dialog').getByRole('button', { name: /^Retry \d+$/ }),
    ]
    for (const target of clicks) {
      await target.waitFor()
      const box = await target.boundingBox()
      expect(box && box.y + box.height).toBeLessThan(page.viewportSize()?.height ?? 0)
      await target.click()
    }
    await expect.poll(() => failing(stage)).toBe(0)
    expect(clicks.length * SECONDS_PER_CLICK).toBeLessThanOrEqual(10)
  })

  it('offers to retry the failing handler before a replay of the event', async () => {
    const { stage, page } = scene()
    stage.crm.isDown = true
    await stage.deliver(stage.clerk.act('createUser'))
    await expect.poll(() => failing(stage)).toBeGreaterThan(0)
    stage.crm.isDown = false
    await page.goto(`${stage.url}events?run=failing`)
    await page.getByRole('table', { name: 'Events' }).getByRole('link').first().click()
    const panel = page.getByRole('complementary', { name: 'Event' })
    await panel.getByRole('button', { name: 'Retry handler syncCrm' }).waitFor()
    const buttons = await panel.locator('.actions').first().getByRole('button').allInnerTexts()
    expect(buttons.slice(0, 2)).toEqual(['Retry handler syncCrm', 'Replay'])
    await panel.getByText('next retry').first().waitFor()
    await panel.getByRole('button', { name: 'Retry handler syncCrm' }).click()
    await page.getByText(/syncCrm: (succeeded|queued|running)\./).waitFor()
    await expect.poll(() => failing(stage)).toBe(0)
  })

  it('mutes what is known: the status is about the others, until it is unmuted', async () => {
    const { stage, page } = scene()
    stage.crm.isDown = true
    await stage.deliver(stage.clerk.act('createUser'))
    await expect.poll(() => failing(stage)).toBeGreaterThan(0)
    await page.goto(`${stage.url}failures`)
    await page.getByRole('button', { name: 'Mute' }).click()
    await page.getByRole('button', { name: 'for a day' }).click()
    await page.getByText('No handlers are failing.').waitFor()
    await page.goto(stage.url)
    await page.getByRole('region', { name: 'Status' }).getByText('Healthy').waitFor()

    await page.goto(`${stage.url}failures?state=muted`)
    await page.getByText(/mute ends/).waitFor()
    await page.getByRole('button', { name: 'Unmute' }).click()
    await page.getByText('No muted groups.').waitFor()
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
    await page.getByText('was paused').waitFor()
    await page.getByRole('button', { name: 'Resume welcomeEmail' }).click()
    await expect.poll(() => page.getByText('was paused').count()).toBe(0)
    await page.goto(`${stage.url}settings`)
    await page.getByRole('table', { name: 'Who did what' }).getByText('the provider is down').waitFor()
  })
}

/**
 * By the keystroke-level model (Card, Moran and Newell): 1.35 s to decide, 1.1 s to point, 0.2 s to press. Somebody who has
 * never seen the dashboard is done within ten seconds if no step is more than this and nothing has to be looked for.
 */
const SECONDS_PER_CLICK = 1.35 + 1.1 + 0.2

async function failing({ sync }: Stage): Promise<number> {
  const runs = await sync.database
    .selectFrom('handler_runs')
    .select('event_id')
    .where('status', '=', 'retrying')
    .execute()
  return runs.length
}
