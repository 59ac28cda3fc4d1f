import { render } from 'preact'
import 'uplot/dist/uPlot.min.css'
import './style/base.css'
import './style/parts.css'
import './style/charts.css'
import './style/live.css'
import './style/system.css'
import './style/sizes.css'
import './style/print.css'
import { App } from './shell/app.tsx'
import { applyTheme } from './shell/theme.ts'

applyTheme()
render(<App />, document.getElementById('app')!)
