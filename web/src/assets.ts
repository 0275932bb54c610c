/** A video that can be played. */
export interface Asset {
  id: string;
  title: string;
  durationSeconds: number;
  manifest: string;
}

/** What the gateway says about the videos; degraded when the list is an old one. */
export interface Listing {
  assets: Asset[];
  degraded: boolean;
}

/** Asks the gateway for the videos; fails after the deadline. */
export async function fetchAssets(deadlineMillis = 5000): Promise<Listing> {
  const response = await fetch("/api/assets", { signal: AbortSignal.timeout(deadlineMillis) });
  if (!response.ok) {
    throw new Error(`the list of videos answered ${response.status}`);
  }
  const body: unknown = await response.json();
  return { assets: parseAssets(body), degraded: response.headers.has("Streamplane-Degraded") };
}

/** Keeps the entries that are whole, so one bad entry does not empty the page. */
export function parseAssets(body: unknown): Asset[] {
  return Array.isArray(body) ? body.filter(isAsset) : [];
}

function isAsset(value: unknown): value is Asset {
  const candidate = value as Partial<Asset> | null;
  return (
    typeof candidate?.id === "string" &&
    typeof candidate.title === "string" &&
    typeof candidate.durationSeconds === "number" &&
    typeof candidate.manifest === "string" &&
    candidate.manifest.startsWith("/v/")
  );
}

/** 36 becomes 0:36 and 3725 becomes 1:02:05. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const pad = (n: number) => String(n).padStart(2, "0");
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`;
}
