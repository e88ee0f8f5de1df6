import '../dashboard/styles/tokens.css'
import './page.css'
import { watchTheme } from '../dashboard/theme.ts'

watchTheme()
