// What can be set, all by environment variables.
'use strict'

const variables = [
  { name: 'STREAMING_URL', key: 'streaming', read: url, help: 'address of streaming; the operator sets it and the next two from the entry in "calls"' },
  { name: 'STREAMING_TIMEOUT', key: 'timeoutMs', read: duration, fallback: '2s', help: 'longest time to find something out from streaming' },
  { name: 'STREAMING_RETRIES', key: 'retries', read: number, fallback: '1', help: 'attempts on other pods after one that failed' },
  { name: 'CACHE_TIME', key: 'cacheMs', read: duration, fallback: '10s', help: 'how long an answer is fresh, here and for callers' },
  { name: 'PORT', key: 'port', read: number, fallback: '8080', help: 'port for traffic' },
  { name: 'ADMIN_PORT', key: 'adminPort', read: number, fallback: '9090', help: 'port of /livez, /readyz and /metrics' },
  { name: 'CONNECTION_AGE', key: 'connectionMs', read: duration, fallback: '1m', help: 'a connection of this age ends after a response, so that callers find new pods' },
  { name: 'DRAIN_DELAY', key: 'drainDelayMs', read: duration, fallback: '2s', help: 'after the stop signal: serve on, until callers have seen that this pod leaves' },
  { name: 'DRAIN_TIME', key: 'drainMs', read: duration, fallback: '20s', help: 'after that: time for requests in flight to end' },
  { name: 'POD_NAME', key: 'pod', read: text => text, fallback: 'unknown', help: 'name in the answers; the operator sets it' }
]

/** The settings, and what is wrong with them. */
function parse (env) {
  const settings = {}
  const problems = []
  for (const { name, key, read, fallback } of variables) {
    const text = env[name] || fallback
    try {
      if (text === undefined) {
        throw new Error('is not set: does the service list it in "calls"?')
      }
      settings[key] = read(text)
    } catch (error) {
      problems.push(`${name}: ${error.message}`)
    }
  }
  return { settings, problems }
}

function help () {
  const lines = variables.map(({ name, fallback, help }) => `  ${name.padEnd(18)} ${help}${fallback ? ` (default ${fallback})` : ''}`)
  return ['Usage: node server.js [--help]', '', 'Serves GET /facts/TITLE. Environment:', ...lines, ''].join('\n')
}

function url (text) {
  try {
    const parsed = new URL(text)
    if (parsed.protocol === 'http:') {
      return parsed
    }
  } catch { /* said below */ }
  throw new Error('use a URL such as http://acme-streaming-headless.tv.svc:8080')
}

function number (text) {
  if (!/^\d{1,5}$/.test(text)) {
    throw new Error('use a whole number, 0 or more')
  }
  return Number(text)
}

/** Milliseconds of a duration such as 1m30s, as Kubernetes resources write it. */
function duration (text) {
  const units = { ms: 1, s: 1000, m: 60000 }
  if (!/^(\d{1,6}(ms|s|m))+$/.test(text)) {
    throw new Error('use a duration such as 500ms or 2s')
  }
  return [...text.matchAll(/(\d+)(ms|s|m)/g)].reduce((sum, [, count, unit]) => sum + Number(count) * units[unit], 0)
}

module.exports = { help, parse }
