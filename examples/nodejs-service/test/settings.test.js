'use strict'

const assert = require('node:assert/strict')
const test = require('node:test')
const { help, parse } = require('../app/settings')

test('the operator says where streaming is and how patiently to call it', () => {
  const { settings, problems } = parse({ STREAMING_URL: 'http://streaming.tv.svc:8080', STREAMING_TIMEOUT: '1m1s500ms', STREAMING_RETRIES: '0' })
  assert.deepEqual(problems, [])
  assert.equal(settings.streaming.host, 'streaming.tv.svc:8080')
  assert.equal(settings.timeoutMs, 61500)
  assert.equal(settings.retries, 0)
  assert.equal(settings.port, 8080)
})

test('every wrong setting is named', () => {
  const { problems } = parse({ STREAMING_TIMEOUT: '2', PORT: '-1', DRAIN_TIME: 'soon' })
  assert.deepEqual(problems, [
    'STREAMING_URL: is not set: does the service list it in "calls"?',
    'STREAMING_TIMEOUT: use a duration such as 500ms or 2s',
    'PORT: use a whole number, 0 or more',
    'DRAIN_TIME: use a duration such as 500ms or 2s'
  ])
})

test('help names every variable and its default', () => {
  for (const word of ['STREAMING_URL', 'DRAIN_TIME', '(default 8080)']) {
    assert.match(help(), new RegExp(word.replace(/[()]/g, '\\$&')))
  }
})
