/** The first minutes: nothing is there, and the page says what to do, and notices by itself that it was done. */

import { it } from 'vitest'
import type { Scene } from '../scene.ts'

export function emptyInstallation(scene: () => Scene): void {
  it('is a checklist that turns green by itself', async () => {
    const { stage, page } = scene()
    await page.goto(stage.url)
    const step = page
      .getByRole('region', { name: 'Set up' })
      .getByRole('listitem')
      .filter({ hasText: 'First event received' })
    await step.getByText('to do').waitFor({ state: 'attached' })
    await stage.live(30)
    await step.getByText('done').waitFor({ state: 'attached' })
  })
}
