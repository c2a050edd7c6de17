import { describe, expect, it } from 'vitest'
import { describeAbsence, findReleases } from './releases.ts'

const UNRELEASED = '# Changelog\n\n## Unreleased\n\n- New.\n'
const RELEASED = `${UNRELEASED}\n## 0.10.0 (2027-01-01)\n\n- B.\n\n## 0.9.0 (2026-12-01)\n\n- A.\n`
const facts = { tags: '', commits: '', isShallow: false, changelog: UNRELEASED, version: '0.1.0' }

describe('the releases to upgrade from', () => {
  it('are the tags of versions, in their order', () => {
    const tags = 'v0.10.0\nv0.9.0\nv0.11.0-beta.1\nvintage\n'
    const found = findReleases({ ...facts, tags, changelog: RELEASED })
    expect(found.found.map(({ ref }) => ref)).toEqual(['v0.9.0', 'v0.10.0'])
    expect(found.missing).toEqual([])
    expect(describeAbsence(found)).toBeUndefined()
  })

  it('are the commits of releases where tags were not fetched', () => {
    const commits = 'abc1 release: 0.10.0\nabc2 release: every way to make one\nabc3 release: 0.9.0\n'
    const found = findReleases({ ...facts, tags: 'v0.9.0\n', commits, changelog: RELEASED })
    expect(found.found).toEqual([
      { version: '0.9.0', ref: 'v0.9.0' },
      { version: '0.10.0', ref: 'abc1' },
    ])
    expect(found.missing).toEqual([])
  })

  it('are none before the first, and a clone says so', () => {
    expect(describeAbsence(findReleases(facts))).toMatch(/^this clone has no release/)
    expect(describeAbsence(findReleases({ ...facts, isShallow: true }))).toMatch(/shallow/)
  })

  it('are missed where the changelog knows of them, but not the one that is being released', () => {
    const found = findReleases({ ...facts, isShallow: true, changelog: RELEASED, version: '0.10.0' })
    expect(describeAbsence(found)).toBe(
      'this clone lacks the releases 0.9.0; run git fetch --tags --unshallow',
    )
  })
})
