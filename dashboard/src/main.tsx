/** The dashboard's browser half begins here. */

import './styles/tokens.css'
import './styles/base.css'
import './styles/shell.css'
import './styles/parts.css'
import './styles/pages.css'
import './styles/phone.css'
import { render } from 'preact'
import { App } from './app.tsx'
import { followLocation } from './location.ts'
import { openSession } from './session.ts'
import { followKeys } from './shortcuts.ts'

followLocation()
followKeys()
void openSession()
render(<App />, document.getElementById('app') as HTMLElement)
