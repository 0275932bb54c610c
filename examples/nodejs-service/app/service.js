// The two servers of the service, traffic and admin, from start to drained end.
'use strict'

const { once } = require('node:events')
const http = require('node:http')
const { setTimeout: pause } = require('node:timers/promises')
const { Callee } = require('./callee')
const { Facts } = require('./facts')
const { Metrics } = require('./metrics')
const { Problem } = require('./problem')

const limits = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 75_000, // longer than callers keep theirs: who closes first cuts off a request
  maxHeaderSize: 32 << 10
}

class Service {
  #settings
  #log
  #metrics = new Metrics()
  #facts
  #leaving = false
  #traffic = http.createServer(limits, (request, response) => this.#serve(request, response))
  #admin = http.createServer(limits, (request, response) => this.#answerAdmin(request, response))

  constructor (settings, log) {
    const streaming = new Callee('streaming', settings.streaming, settings.retries, this.#metrics)
    this.#settings = settings
    this.#log = log
    this.#facts = new Facts((path, deadline) => streaming.read(path, deadline), settings, log)
    this.#traffic.on('connection', socket => {
      socket.expires = Date.now() + settings.connectionMs * (0.8 + 0.2 * Math.random())
    })
  }

  async listen () {
    this.#admin.listen(this.#settings.adminPort)
    this.#traffic.listen(this.#settings.port)
    await Promise.all([once(this.#admin, 'listening'), once(this.#traffic, 'listening')])
    this.#log('info', 'Serving', { port: this.port, adminPort: this.adminPort })
  }

  get port () { return this.#traffic.address().port }

  get adminPort () { return this.#admin.address().port }

  /** Serves on and asks callers to leave, then takes no more connections, then lets requests in flight end: true if all did. */
  async drain () {
    this.#leaving = true
    this.#log('info', 'Draining')
    await pause(this.#settings.drainDelayMs)
    const ended = new Promise(resolve => this.#traffic.close(resolve))
    this.#traffic.closeIdleConnections()
    const abort = new AbortController()
    const clean = await Promise.race([
      ended.then(() => true),
      pause(this.#settings.drainMs, false, { signal: abort.signal }).catch(() => false)
    ])
    abort.abort()
    this.#traffic.closeAllConnections()
    this.#admin.close()
    this.#admin.closeAllConnections()
    this.#log(clean ? 'info' : 'error', clean ? 'Drained' : 'Requests in flight were cut off')
    return clean
  }

  async #serve (request, response) {
    const started = process.hrtime.bigint()
    const [path] = request.url.split('?', 1)
    const match = /^\/facts\/([a-z0-9][a-z0-9-]{0,62})$/.exec(path)
    this.#metrics.begin()
    response.on('close', () => {
      this.#metrics.end(match ? '/facts/{title}' : 'other', response.statusCode, Number(process.hrtime.bigint() - started) / 1e9)
    })
    try {
      if (!match) {
        throw new Problem(404, 'not_found', 'ask for /facts/TITLE')
      }
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('Allow', 'GET, HEAD')
        throw new Problem(405, 'method_not_allowed', 'facts can only be read')
      }
      const { facts, stale } = await this.#facts.of(match[1])
      response.setHeader('Cache-Control', `max-age=${Math.floor(this.#settings.cacheMs / 1000)}`)
      if (stale) {
        response.setHeader('Streamplane-Degraded', 'streaming')
      }
      this.#send(response, 200, { ...facts, servedBy: this.#settings.pod })
    } catch (error) {
      this.#fail(request, response, error)
    }
  }

  #fail (request, response, error) {
    if (!(error instanceof Problem)) {
      this.#log('error', 'Request failed', { path: request.url, error: error.message })
      error = new Problem(500, 'internal', 'internal error')
    }
    if (error.status === 503) {
      response.setHeader('Retry-After', '1')
    }
    this.#send(response, error.status, { error: { code: error.code, message: error.message } })
  }

  #answerAdmin (request, response) {
    switch (request.url) {
      case '/livez':
        return this.#send(response, 200, { alive: true })
      case '/readyz': // not because of streaming: a pod that is taken away mends nothing there
        return this.#send(response, this.#leaving ? 503 : 200, { ready: !this.#leaving })
      case '/metrics':
        response.setHeader('Content-Type', 'text/plain; version=0.0.4')
        return response.end(this.#metrics.text())
      default:
        return this.#send(response, 404, { error: { code: 'not_found', message: 'ask for /livez, /readyz or /metrics' } })
    }
  }

  #send (response, status, body) {
    const text = JSON.stringify(body) + '\n'
    if (this.#leaving || Date.now() > response.socket?.expires) {
      response.setHeader('Connection', 'close')
    }
    response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) })
    response.end(text)
  }
}

module.exports = { Service }
