/** The plot of docs/scaling.md: deliveries and handler runs per second beside a straight line, as SVG. */

import { whole } from '../report.ts'
import { type Result, TITLES } from './result.ts'
import type { EngineName } from './site.ts'

const WIDTH = 760
const HEIGHT = 330
const PANEL = { width: 300, height: 210, top: 60 }
const STEPS = 4
const COLORS: Readonly<Record<EngineName, string>> = { postgres: '#2563eb', bullmq: '#dc2626' }
const LINEAR = '#9ca3af'

interface Placed {
  readonly title: string
  readonly left: number
  readonly value: (result: Result) => number
}

interface Panel extends Placed {
  readonly counts: readonly number[]
  readonly highest: number
}

const PANELS: readonly Placed[] = [
  { title: 'deliveries per second', left: 60, value: ({ deliveries }) => deliveries },
  { title: 'handler runs per second', left: 430, value: ({ runs }) => runs },
]

export function plotOf(results: readonly Result[]): string {
  const grown = results.filter(({ hotUsers }) => hotUsers === undefined)
  const engines = [...new Set(grown.map(({ engine }) => engine))]
  const counts = [...new Set(grown.map(({ count }) => count))]
  const highest = roundUp(Math.max(1, ...grown.flatMap(({ deliveries, runs }) => [deliveries, runs])))
  const panels = PANELS.map((panel) => ({ ...panel, counts, highest }))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#374151">`,
    '<title>Throughput with 1 to 8 receivers and workers</title>',
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    ...panels.flatMap((panel) => [
      ...axes(panel),
      ...engines.flatMap((engine) =>
        curve(
          panel,
          grown.filter((result) => result.engine === engine),
          engine,
        ),
      ),
    ]),
    ...legend(engines),
    '</svg>',
    '',
  ].join('\n')
}

/** To a number that can be divided into steps that are easy to read. */
function roundUp(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value)) * 0.8
  return Math.ceil(value / unit) * unit
}

function x({ left, counts }: Panel, count: number): number {
  return Math.round(left + (count / Math.max(...counts)) * PANEL.width)
}

function y({ highest }: Panel, value: number): number {
  return Math.round(PANEL.top + PANEL.height * (1 - value / highest))
}

function axes(panel: Panel): string[] {
  const right = panel.left + PANEL.width
  const values = Array.from({ length: STEPS + 1 }, (_, step) => (panel.highest * step) / STEPS)
  return [
    text(panel.left, PANEL.top - 18, panel.title, 'font-weight="bold"'),
    ...values.flatMap((value) => [
      line([panel.left, y(panel, value)], [right, y(panel, value)], 'stroke="#e5e7eb"'),
      text(panel.left - 6, y(panel, value) + 4, whole(value), 'text-anchor="end"'),
    ]),
    ...panel.counts.map((count) =>
      text(x(panel, count), PANEL.top + PANEL.height + 18, String(count), 'text-anchor="middle"'),
    ),
    text(right, PANEL.top + PANEL.height + 36, 'receivers and as many workers', 'text-anchor="end"'),
  ]
}

/** With the straight line on which it would go on as it begins. */
function curve(panel: Panel, results: readonly Result[], engine: EngineName): string[] {
  const points = results.map((result) => [x(panel, result.count), y(panel, panel.value(result))] as const)
  const [first] = results
  if (!first) return []
  const slope = panel.value(first) / first.count
  const furthest = Math.min(Math.max(...panel.counts), panel.highest / slope)
  const color = COLORS[engine]
  return [
    line(
      [x(panel, 0), y(panel, 0)],
      [x(panel, furthest), y(panel, furthest * slope)],
      `stroke="${LINEAR}" stroke-dasharray="4 4"`,
    ),
    `<polyline points="${points.map((point) => point.join(',')).join(' ')}" fill="none" stroke="${color}" stroke-width="2"/>`,
    ...points.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3.5" fill="${color}"/>`),
  ]
}

function legend(engines: readonly EngineName[]): string[] {
  const entries = [
    ...engines.map((engine) => [TITLES[engine], COLORS[engine]] as const),
    ['as one pair would grow', LINEAR] as const,
  ]
  return entries.flatMap(([name, color], at) => {
    const left = 60 + at * 110
    return [`<rect x="${left}" y="12" width="12" height="12" fill="${color}"/>`, text(left + 18, 22, name)]
  })
}

type Point = readonly [x: number, y: number]

function line([x1, y1]: Point, [x2, y2]: Point, attributes: string): string {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" ${attributes}/>`
}

function text(left: number, top: number, content: string, attributes = ''): string {
  return `<text x="${left}" y="${top}" ${attributes}>${content}</text>`
}
