/**
 * Shards stand near their subscribers, so that a batch crosses an ocean once, however many
 * subscribers it has there. The hint is the vendor's; it decides where a shard first starts.
 */
export type Placement = { shard: string; locationHint: DurableObjectLocationHint }

type Place = { continent?: string | undefined; longitude?: string | undefined }

/**
 * @param place where the request came from, as Cloudflare says it; nothing in a local run
 * @param random in [0, 1)
 */
export function placeSubscriber(place: Place, shardsPerRegion: number, random: number): Placement {
  const locationHint = hintFor(place)
  return { shard: `${locationHint}-${Math.floor(random * shardsPerRegion)}`, locationHint }
}

function hintFor({ continent, longitude }: Place): DurableObjectLocationHint {
  const east = Number(longitude ?? 0)
  switch (continent) {
    case 'SA':
      return 'sam'
    case 'EU':
      return east > 17 ? 'eeur' : 'weur'
    case 'AF':
      return 'afr'
    case 'AS':
      return east < 60 ? 'me' : 'apac'
    case 'OC':
      return 'oc'
    default:
      return continent === 'NA' && east < -100 ? 'wnam' : 'enam'
  }
}
