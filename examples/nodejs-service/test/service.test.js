'use strict'

const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const http = require('node:http')
const path = require('node:path')
const test = require('node:test')
const { parse } = require('../app/settings')
const { Service } = require('../app/service')
const { streaming } = require('./streaming')

/** The service in this process, on ports of its own. */
async function facts (t, env) {
  const { settings, problems } = parse({ PORT: '0', ADMIN_PORT: '0', DRAIN_DELAY: '0ms', POD_NAME: 'facts-1', ...env })
  assert.deepEqual(problems, [])
  const service = new Service(settings, () => {})
  await service.listen()
  t.after(() => service.drain())
  return service
}

/** A request whose connection is kept, like those of a proxy. */
async function get (port, path, { method = 'GET', agent } = {}) {
  const request = http.request({ port, path, method, agent })
  request.end()
  const [response] = await once(request, 'response')
  let body = ''
  for await (const part of response) {
    body += part
  }
  return { status: response.statusCode, headers: response.headers, body }
}

test('facts come from the playlists of streaming', async t => {
  const service = await facts(t, { STREAMING_URL: await streaming(t) })
  const answer = await get(service.port, '/facts/clock?x=1')
  assert.equal(answer.status, 200)
  assert.equal(answer.headers['cache-control'], 'max-age=10')
  assert.deepEqual(JSON.parse(answer.body), {
    title: 'clock',
    seconds: 10.5,
    renditions: [{ resolution: '1280x720', bitsPerSecond: 2000000 }, { resolution: '640x360', bitsPerSecond: 500000 }],
    servedBy: 'facts-1'
  })
})

test('what is not served says why', async t => {
  const service = await facts(t, { STREAMING_URL: await streaming(t) })
  for (const [path, method, status, code] of [
    ['/facts/nothing', 'GET', 404, 'not_found'],
    ['/facts/..%2fsecret', 'GET', 404, 'not_found'],
    ['//', 'GET', 404, 'not_found'],
    ['/facts/clock', 'POST', 405, 'method_not_allowed']
  ]) {
    const answer = await get(service.port, path, { method })
    assert.equal(answer.status, status, path)
    assert.equal(JSON.parse(answer.body).error.code, code, path)
  }
})

test('a pod that fails is not the last word', async t => {
  let asked = 0
  const service = await facts(t, { STREAMING_URL: await streaming(t, () => ++asked === 1 ? 500 : 200) })
  assert.equal((await get(service.port, '/facts/clock')).status, 200)
})

test('callers share one question', async t => {
  const asked = []
  let release
  const held = new Promise(resolve => { release = resolve })
  const url = await streaming(t, async path => {
    asked.push(path)
    await held
    return 200
  })
  const service = await facts(t, { STREAMING_URL: url })
  const answers = ['first', 'second'].map(() => get(service.port, '/facts/clock'))
  await until(service, /http_server_active_requests 2/)
  release()
  for (const answer of await Promise.all(answers)) {
    assert.equal(answer.status, 200)
  }
  assert.deepEqual(asked, ['/v/clock/master.m3u8', '/v/clock/720p/index.m3u8'])
})

test('without streaming the last good answer goes out, marked, and the pod stays ready', async t => {
  let status = 200
  const service = await facts(t, { STREAMING_URL: await streaming(t, () => status), CACHE_TIME: '0ms' })
  assert.equal((await get(service.port, '/facts/clock')).status, 200)
  status = 503
  const stale = await get(service.port, '/facts/clock')
  assert.equal(stale.status, 200)
  assert.equal(stale.headers['streamplane-degraded'], 'streaming')
  const unknown = await get(service.port, '/facts/other')
  assert.equal(unknown.status, 503)
  assert.equal(unknown.headers['retry-after'], '1')
  assert.equal((await get(service.adminPort, '/readyz')).status, 200)
  const { body } = await get(service.adminPort, '/metrics')
  assert.match(body, /^dependency_up\{name="streaming"\} 0$/m)
  assert.match(body, /^http_server_requests_total\{route="\/facts\/\{title\}",code="200"\} 2$/m)
  assert.match(body, /^http_server_request_seconds_count\{route="\/facts\/\{title\}"\} 3$/m)
})

test('a streaming that hangs ends at the declared timeout', async t => {
  const service = await facts(t, { STREAMING_URL: await streaming(t, () => new Promise(() => {})), STREAMING_TIMEOUT: '50ms' })
  assert.equal((await get(service.port, '/facts/clock')).status, 503)
})

test('old connections end after a response', async t => {
  const url = await streaming(t)
  const agent = new http.Agent({ keepAlive: true })
  t.after(() => agent.destroy())
  const young = await facts(t, { STREAMING_URL: url })
  assert.equal((await get(young.port, '/facts/clock', { agent })).headers.connection, 'keep-alive')
  const old = await facts(t, { STREAMING_URL: url, CONNECTION_AGE: '0ms' })
  assert.equal((await get(old.port, '/facts/clock', { agent })).headers.connection, 'close')
})

test('the program drains: requests in flight end, the pod is not ready, the exit code is 0', async t => {
  let release
  const held = new Promise(resolve => { release = resolve })
  const url = await streaming(t, () => held.then(() => 200))
  const env = { ...process.env, STREAMING_URL: url, STREAMING_TIMEOUT: '1m', PORT: '0', ADMIN_PORT: '0', DRAIN_DELAY: '0ms' }
  const program = spawn(process.execPath, [path.join(__dirname, '../app/server.js')], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => program.kill('SIGKILL'))
  const exit = once(program, 'exit')
  const logged = lines(program.stdout)
  const { value: serving } = await logged.next()
  assert.equal(serving.msg, 'Serving')
  const answer = get(serving.port, '/facts/clock')
  await until(serving, /http_server_active_requests 1/)
  program.kill('SIGTERM')
  assert.equal((await logged.next()).value.msg, 'Draining')
  assert.equal((await get(serving.adminPort, '/readyz')).status, 503)
  release()
  assert.equal((await answer).status, 200)
  assert.equal((await answer).headers.connection, 'close')
  assert.deepEqual(await exit, [0, null])
})

test('a missing setting ends the program with its name', async () => {
  const program = spawn(process.execPath, [path.join(__dirname, '../app/server.js')], { env: {}, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  program.stderr.on('data', part => { said += part })
  const [code] = await once(program, 'close')
  assert.equal(code, 2)
  assert.match(said, /STREAMING_URL: is not set/)
})

async function * lines (stream) {
  let rest = ''
  for await (const part of stream) {
    const complete = (rest + part).split('\n')
    rest = complete.pop()
    yield * complete.map(line => JSON.parse(line))
  }
}

/** Waits until the metrics match; the test runner ends a test that hangs. */
async function until ({ adminPort }, pattern) {
  while (!pattern.test((await get(adminPort, '/metrics')).body)) { /* ask again */ }
}
