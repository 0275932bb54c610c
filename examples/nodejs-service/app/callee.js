// Calls to another service: each request to a pod of its own, because a connection that is kept sticks to one pod.
'use strict'

const dns = require('node:dns').promises
const http = require('node:http')

const maxBytes = 1 << 20 // of an answer

class Callee {
  #name
  #url
  #retries
  #metrics

  constructor (name, url, retries, metrics) {
    this.#name = name
    this.#url = url
    this.#retries = retries
    this.#metrics = metrics
  }

  /** The body of a file, from one pod after the other until one answers. */
  async read (path, deadline) {
    let failure = new Error(`${this.#name} has no pods`)
    try {
      const pods = shuffle(await this.#pods(deadline))
      for (let i = 0; i <= this.#retries && pods.length > 0; i++) {
        try {
          const body = await this.#fetch(pods[i % pods.length], path, deadline)
          this.#metrics.dependencyUp(this.#name, true)
          return body
        } catch (error) {
          failure = error
          if (error.status < 500) {
            break // every pod would say so
          }
        }
      }
    } catch (error) {
      failure = error
    }
    this.#metrics.dependencyUp(this.#name, failure.status < 500)
    throw failure
  }

  /** The addresses of the pods: a headless Service resolves to all that are ready. */
  async #pods (deadline) {
    const found = await before(deadline, dns.lookup(this.#url.hostname, { all: true }))
    return found.map(({ address }) => address)
  }

  #fetch (host, path, deadline) {
    const timeout = deadline - Date.now()
    if (timeout <= 0) {
      return Promise.reject(new Error('no time left'))
    }
    const options = {
      host, port: this.#url.port || 80, path, agent: false, headers: { host: this.#url.host }, signal: AbortSignal.timeout(timeout)
    }
    return new Promise((resolve, reject) => {
      http.get(options, response => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', part => {
          body += part
          if (body.length > maxBytes) {
            response.destroy(new Error('the answer is too long'))
          }
        })
        response.on('error', reject)
        response.on('end', () => response.statusCode === 200
          ? resolve(body)
          : reject(Object.assign(new Error(`${this.#name} answered ${response.statusCode}`), { status: response.statusCode })))
      }).on('error', reject)
    })
  }
}

/** The outcome of a promise that cannot be stopped, or a failure at the deadline. */
async function before (deadline, promise) {
  let timer
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error('no time left')), deadline - Date.now())
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

function shuffle (list) {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [list[i], list[j]] = [list[j], list[i]]
  }
  return list
}

module.exports = { Callee }
