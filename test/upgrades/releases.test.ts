import { describe, expect, it } from 'vitest'
import { describeAbsence, findReleases } from './releases.ts'

const UNRELEASED = '# Changelog\n\n## Unreleased\n\n- New.\n'
const RELEASED = `${UNRELEASED}\n## 0.10.0 (2027-01-01)\n\n- B.\n\n## 0.9.0 (2026-12-01)\n\n- A.\n`
const facts = { tags: '', isShallow: false, changelog: UNRELEASED, version: '0.1.0' }

describe('the releases to upgrade from', () => {
  it('are the tags of versions, in their order', () => {
    const tags = 'v0.10.0\nv0.9.0\nv0.11.0-beta.1\nvintage\n'
    const found = findReleases({ ...facts, tags, changelog: RELEASED })
    expect(found).toEqual({ tags: ['v0.9.0', 'v0.10.0'], missing: [], isShallow: false })
    expect(describeAbsence(found)).toBeUndefined()
  })

  it('are none before the first, and a clone says so', () => {
    expect(describeAbsence(findReleases(facts))).toMatch(/^nothing has been released/)
    expect(describeAbsence(findReleases({ ...facts, isShallow: true }))).toMatch(/shallow/)
  })

  it('are missed where the changelog knows of them, but not the one that is being released', () => {
    const found = findReleases({ ...facts, isShallow: true, changelog: RELEASED, version: '0.10.0' })
    expect(describeAbsence(found)).toBe(
      'this clone lacks the tags of 0.9.0; run git fetch --tags --unshallow',
    )
  })
})
