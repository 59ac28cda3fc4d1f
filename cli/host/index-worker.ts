import { parentPort } from 'node:worker_threads'
import { serveLoader } from '../../serving/index/loader-thread.ts'

serveLoader(parentPort!)
