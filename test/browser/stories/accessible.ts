/** Usable by everybody: judged by axe in both themes, without a mouse, with twice the size, on a phone. */

import type { Result } from 'axe-core'
import { expect, it } from 'vitest'
import { PATHS, type Scene } from '../scene.ts'

const RULES = { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }

interface WithAxe {
  axe: { run(context: Document, options: object): Promise<{ violations: Result[] }> }
}

async function violationsOf({ page }: Scene): Promise<string[]> {
  const violations = await page.evaluate(
    async (rules) => (await (window as unknown as WithAxe).axe.run(document, rules)).violations,
    RULES,
  )
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, any }) => `${id}: ${html} ${any[0]?.message ?? ''}`),
  )
}

async function settle({ page }: Scene): Promise<void> {
  await page.getByRole('main').waitFor()
  await expect.poll(() => page.getByRole('status', { name: 'Loading' }).count()).toBe(0)
}

export function accessible(scene: () => Scene): void {
  it.each(['light', 'dark'] as const)(
    'has no fault that axe knows, on every page, in the %s theme',
    async (theme) => {
      const { stage, page } = scene()
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
      const event = await stage.sync.database
        .selectFrom('events')
        .select('id')
        .orderBy('received_at', 'desc')
        .executeTakeFirstOrThrow()
      const job = await stage.sync.database.selectFrom('jobs').select('id').executeTakeFirst()
      const user = await stage.sync.database.selectFrom('users').select('id').executeTakeFirstOrThrow()
      const more = [
        `events/${event.id}`,
        `events/${event.id}?tab=payload`,
        `resources/users/${user.id}`,
        ...(job ? [`jobs/${job.id}`] : []),
      ]
      for (const path of [...PATHS, ...more]) {
        await page.goto(stage.url + path)
        await settle(scene())
        expect([path, await violationsOf(scene())]).toEqual([path, []])
      }
      await page.keyboard.press('?')
      await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
      expect(await violationsOf(scene())).toEqual([])
    },
  )

  it('can be used without a mouse', async () => {
    const { stage, page } = scene()
    await page.goto(stage.url)
    await settle(scene())
    // What listens to keys is there by then.
    await page.getByText('live', { exact: true }).waitFor()
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to content')
    await page.keyboard.press('Enter')
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('content')
    await page.keyboard.press('g')
    await page.keyboard.press('e')
    await page.getByRole('heading', { name: 'Events' }).waitFor()
    await page.getByRole('row').nth(2).waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    const panel = page.getByRole('complementary', { name: 'Event' })
    await panel.getByRole('heading', { level: 2 }).waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(() => panel.count()).toBe(0)
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0)
    const pages = page.getByRole('navigation', { name: 'Pages' })
    await page.keyboard.press('Control+b')
    await expect.poll(() => pages.isVisible()).toBe(false)
    await page.keyboard.press('Control+b')
    await expect.poll(() => pages.isVisible()).toBe(true)
  })

  it('does nothing by single keys once they are switched off', async () => {
    const { stage, page } = scene()
    await page.goto(`${stage.url}settings`)
    await page.getByLabel('Enable single-key shortcuts').uncheck()
    await page.goto(stage.url)
    await settle(scene())
    await page.keyboard.press('g')
    await page.keyboard.press('e')
    await page.keyboard.press('?')
    expect(await page.getByRole('dialog').count()).toBe(0)
    expect(page.url()).toBe(stage.url)
    await page.goto(`${stage.url}settings`)
    await page.getByLabel('Enable single-key shortcuts').check()
  })

  it('moves nothing for those who asked for less motion', async () => {
    const { stage, page } = scene()
    await page.emulateMedia({ reducedMotion: 'reduce' })
    await page.goto(stage.url)
    await settle(scene())
    const moving = await page.evaluate(() => document.getAnimations().length)
    expect(moving).toBe(0)
  })

  it.each([
    ['at 200 %', 640],
    ['on a phone', 375],
  ])('needs no scrolling sideways %s', async (_, width) => {
    const { stage, page } = scene()
    await page.setViewportSize({ width, height: 800 })
    for (const path of PATHS) {
      await page.goto(stage.url + path)
      await settle(scene())
      const excess = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement
        return scrollWidth - clientWidth
      })
      expect([path, excess]).toEqual([path, 0])
    }
    await page.setViewportSize({ width: 1280, height: 800 })
  })
}
