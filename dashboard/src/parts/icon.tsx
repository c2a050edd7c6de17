/** The icons: 16 by 16, one stroke. Beside each stands its word, so that they are hidden from screen readers. */

const PATHS = {
  overview: 'M2.5 13V9M6.2 13V3M9.8 13V7M13.5 13V5',
  events: 'M2.5 4h11M2.5 8h11M2.5 12h7',
  resources: 'M2.5 4c0-2 11-2 11 0v8c0 2-11 2-11 0zM2.5 4c0 2 11 2 11 0M2.5 8c0 2 11 2 11 0',
  failures: 'M8 2.5l6 10.5H2zM8 6.5v3M8 11.2v.1',
  rejected: 'M8 2a6 6 0 100 12A6 6 0 008 2zM3.8 3.8l8.4 8.4',
  jobs: 'M13.5 8a5.5 5.5 0 11-1.7-4M13.5 2.2v2.5H11',
  health: 'M1.5 8h3l2-4.5 3 9 2-4.5h3',
  settings: 'M2.5 4.5h5M11 4.5h2.5M2.5 11.5H5M8.5 11.5h5M9.2 3v3M6.7 10v3',
  simulator: 'M5 3.5l7 4.5-7 4.5z',
  search: 'M7 2.5a4.5 4.5 0 100 9 4.5 4.5 0 000-9zM10.4 10.4l3.1 3.1',
  theme: 'M8 2a6 6 0 100 12zM8 2a6 6 0 010 12',
  keys: 'M2 4.5h12v7H2zM4.5 7h.1M8 7h.1M11.5 7h.1M5.5 9.5h5',
  check: 'M3 8.5l3.2 3.2L13 4.5',
  cross: 'M4 4l8 8M12 4l-8 8',
  warning: 'M8 2.5l6 10.5H2zM8 6.5v3M8 11.2v.1',
  equals: 'M3.5 6h9M3.5 10h9',
  wave: 'M2.5 9c1.5-3 3.5-3 5.5-1s4 2 5.5-1',
  dot: 'M8 6.8a1.2 1.2 0 100 2.4 1.2 1.2 0 000-2.4z',
  clock: 'M8 2.5a5.5 5.5 0 100 11 5.5 5.5 0 000-11zM8 5v3.2l2.2 1.3',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  skip: 'M3.5 8h9M9 4.5L12.5 8 9 11.5',
  inbox: 'M2.5 9.5l2-6.5h7l2 6.5v3.5h-11zM2.5 9.5h3.2l1 1.5h2.6l1-1.5h3.2',
  external: 'M6.5 3.5h-3v9h9v-3M9.5 3h3.5v3.5M13 3L7.5 8.5',
  down: 'M4 6l4 4 4-4',
  right: 'M6 4l4 4-4 4',
  left: 'M10 4L6 8l4 4',
  up: 'M4 10l4-4 4 4',
  copy: 'M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z',
  eye: 'M1.5 8c3-5.3 10-5.3 13 0-3 5.3-10 5.3-13 0zM8 6.2a1.8 1.8 0 100 3.6 1.8 1.8 0 000-3.6z',
  menu: 'M2.5 4.5h11M2.5 8h11M2.5 11.5h11',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  )
}
