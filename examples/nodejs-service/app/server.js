// Facts about a title: how long it is and in which resolutions it can be had, read from the
// playlists of the service "streaming". Plain Node.js 18 or later, no packages.
'use strict'

const { help, parse } = require('./settings')
const { logger } = require('./log')
const { Service } = require('./service')

const usage = 2 // the exit code of a wrong call

async function main (args, env) {
  if (args.includes('--help')) {
    process.stdout.write(help())
    return
  }
  const { settings, problems } = parse(env)
  problems.push(...args.map(argument => `unknown argument ${argument}, see --help`))
  if (problems.length > 0) {
    problems.forEach(problem => console.error(problem))
    process.exit(usage)
  }
  const log = logger(env.SERVICE_NAME ?? 'facts', line => console.log(line))
  const service = new Service(settings, log)
  await service.listen()
  let stopping = false
  const stop = async () => {
    if (stopping) {
      process.exit(1) // a second signal
    }
    stopping = true
    process.exit(await service.drain() ? 0 : 1)
  }
  process.on('SIGTERM', stop).on('SIGINT', stop)
}

main(process.argv.slice(2), process.env).catch(error => {
  console.error(error.message)
  process.exit(1)
})
