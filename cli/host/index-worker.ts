import { parentPort } from 'node:worker_threads'
import { Calls } from '../../schemas/calls.ts'
import { serveLoader } from '../../serving/index/loader-thread.ts'
import { portChannel } from './port-channel.ts'

serveLoader(new Calls(portChannel(parentPort!)))
