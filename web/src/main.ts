import "./style.css";
import { fetchAssets, type Asset } from "./assets";
import { Player } from "./player";
import { View } from "./view";

const retryMillis = 5000;

const view = new View();
let current: Asset | null = null;
let degraded = false;
let position = 0;
let timer = 0;

const player = new Player(view.video, {
  ready: () => {
    view.liftCurtain();
    view.state = degraded ? "degraded" : "ready";
  },
  playing: () => {
    view.liftCurtain();
    view.state = degraded ? "degraded" : "playing";
  },
  quality: (height) => current && view.showDetails(current, height),
  failed: (reason) => rest(`The player stopped: ${reason}.`),
});

/** Keeps the page useful while videos cannot be had, and looks again by itself. */
function rest(reason: string): void {
  console.warn(reason);
  position = view.video.currentTime || position;
  view.state = "error";
  view.drawCurtain("Videos are resting", "They cannot be reached right now. We keep trying, and they will be back here as soon as they can.");
  window.clearTimeout(timer);
  timer = window.setTimeout(() => void load(), retryMillis);
}

function choose(asset: Asset, from = 0): void {
  current = asset;
  position = from;
  view.liftCurtain();
  view.state = "loading";
  view.showCurrent(asset);
  player.play(asset.manifest, from);
}

/** Reads the list and goes on with the video that was playing, or with the first one. */
async function load(): Promise<void> {
  window.clearTimeout(timer);
  try {
    const listing = await fetchAssets();
    degraded = listing.degraded;
    view.showAssets(listing.assets, choose);
    view.showNote(degraded ? "This list may be a little old: the service behind it is resting." : "");
    const next = listing.assets.find((asset) => asset.id === current?.id) ?? listing.assets[0];
    if (next) {
      choose(next, next.id === current?.id ? position : 0);
    } else {
      view.state = "ready";
      view.drawCurtain("Nothing to play yet", "Videos appear here as soon as there are some.");
    }
  } catch (error) {
    rest(String(error));
  }
}

view.onRetry(() => void load());
void load();
