/** The shape of some numbers, the size of a word. The numbers themselves stand beside it. */

const WIDTH = 72
const HEIGHT = 18

export function Sparkline({ values, label }: { readonly values: readonly number[]; readonly label: string }) {
  const highest = Math.max(1, ...values)
  const step = WIDTH / Math.max(1, values.length)
  const bars = values.map((value, index) => {
    const height = value === 0 ? 1 : Math.max(2, (value / highest) * HEIGHT)
    return `M${(index + 0.5) * step} ${HEIGHT}v-${height}`
  })
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={label}
    >
      <path d={bars.join('')} stroke-width={Math.max(1, step - 1)} />
    </svg>
  )
}
