/** The root component: the sign-in for anonymous visitors, otherwise the shell with the current page. */

import { useEffect } from 'preact/hooks'
import { followLive } from './live.ts'
import { usePlace } from './location.ts'
import { EventsPage } from './pages/events.tsx'
import { FailuresPage } from './pages/failures.tsx'
import { HealthPage } from './pages/health.tsx'
import { JobPage } from './pages/job.tsx'
import { JobsPage } from './pages/jobs.tsx'
import { OverviewPage } from './pages/overview.tsx'
import { RejectedPage } from './pages/rejected.tsx'
import { ResourcePage } from './pages/resource.tsx'
import { ResourcesPage } from './pages/resources.tsx'
import { SettingsPage } from './pages/settings.tsx'
import { SignIn } from './pages/sign-in.tsx'
import { SimulatorPage } from './pages/simulator.tsx'
import { PAGES } from './pages.ts'
import { Loading, Notice } from './parts/notice.tsx'
import { Toasts } from './parts/toast.tsx'
import { session, sessionProblem } from './session.ts'
import { Shell } from './shell.tsx'
import { useStore } from './store.ts'

export function App() {
  const current = useStore(session)
  const problem = useStore(sessionProblem)
  if (!current && problem) return <SignIn problem={problem} />
  if (!current) return <Loading rows={3} />
  return (
    <>
      <Following />
      <Shell session={current}>
        <Page />
      </Shell>
      <Toasts />
    </>
  )
}

/** Alive as long as somebody is signed in. */
function Following() {
  useEffect(followLive, [])
  return null
}

function Page() {
  const { path } = usePlace()
  const [first = '', ...rest] = path.split('/').map(decode)
  useEffect(() => {
    const name = PAGES.find((page) => page.path === first)?.name ?? 'Not found'
    document.title = `${[...rest.toReversed(), name].join(' · ')} · clerk-sync`
  }, [path])
  return pageOf(first, rest) ?? <NotFound />
}

function pageOf(first: string, [second, third, ...more]: readonly string[]) {
  if (more.length > 0) return undefined
  if (first === 'resources') {
    if (second && third) return <ResourcePage key={`${second}/${third}`} resource={second} id={third} />
    return <ResourcesPage resource={second ?? 'users'} />
  }
  if (third !== undefined) return undefined
  if (first === 'events') return <EventsPage id={second} />
  if (first === 'jobs') return second ? <JobPage key={second} id={second} /> : <JobsPage />
  if (second !== undefined) return undefined
  return SINGLE[first]?.()
}

const SINGLE: Readonly<Record<string, () => preact.JSX.Element>> = {
  '': () => <OverviewPage />,
  failures: () => <FailuresPage />,
  rejected: () => <RejectedPage />,
  health: () => <HealthPage />,
  settings: () => <SettingsPage />,
  simulator: () => <SimulatorPage />,
}

function NotFound() {
  return (
    <Notice icon="search" title="Page not found.">
      <p>
        <a href="./">Go to the overview</a>
      </p>
    </Notice>
  )
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
