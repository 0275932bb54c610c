'use strict'

/** An error with an answer of its own. */
class Problem extends Error {
  constructor (status, code, message) {
    super(message)
    Object.assign(this, { status, code })
  }
}

module.exports = { Problem }
