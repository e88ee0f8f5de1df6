import { describe, expect, it } from 'vitest'
import { placeSubscriber } from '../../worker/placement.ts'

describe('placement', () => {
  it.each([
    ['NA', '-122.4', 'wnam'],
    ['NA', '-73.9', 'enam'],
    ['SA', '-46.6', 'sam'],
    ['EU', '2.3', 'weur'],
    ['EU', '21.0', 'eeur'],
    ['AF', '18.4', 'afr'],
    ['AS', '55.3', 'me'],
    ['AS', '103.8', 'apac'],
    ['OC', '151.2', 'oc'],
    [undefined, undefined, 'enam'],
  ])('%s at longitude %s is %s', (continent, longitude, locationHint) => {
    expect(placeSubscriber({ continent, longitude }, 4, 0.6)).toEqual({
      shard: `${locationHint}-2`,
      locationHint,
    })
  })
})
