// One JSON object per line, with the keys that the bundled services use.
'use strict'

/** A function that logs: level, message, fields. */
function logger (service, write) {
  return (level, message, fields = {}) =>
    write(JSON.stringify({ time: new Date().toISOString(), level, msg: message, service, ...fields }))
}

module.exports = { logger }
