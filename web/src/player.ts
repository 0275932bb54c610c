import Hls, { ErrorTypes, Events, type ErrorData } from "hls.js";

/** What the page wants to hear from a player. */
export interface PlayerEvents {
  /** The video can be played. */
  ready(): void;
  /** The picture moves. */
  playing(): void;
  /** The height of the picture changed. */
  quality(height: number): void;
  /** The player gave up. */
  failed(reason: string): void;
}

const maxRecoveries = 3;
/** What failed is asked for again: pods come and go. */
const loadPolicy = (maxNumRetry: number, maxLoadTimeMs: number) => {
  const retry = { maxNumRetry, retryDelayMs: 300, maxRetryDelayMs: 4000 };
  return { default: { maxTimeToFirstByteMs: 8000, maxLoadTimeMs, timeoutRetry: retry, errorRetry: retry } };
};

/** Plays HLS in a video element: with hls.js, or natively where that is all there is. */
export class Player {
  private hls: Hls | null = null;
  private recoveries = 0;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly events: PlayerEvents,
  ) {
    video.addEventListener("loadedmetadata", () => events.ready());
    video.addEventListener("resize", () => video.videoHeight > 0 && events.quality(video.videoHeight));
    video.addEventListener("playing", () => {
      this.recoveries = 0;
      events.playing();
    });
    video.addEventListener("error", () => {
      if (!this.hls) {
        events.failed(video.error?.message ?? "the video cannot be played");
      }
    });
  }

  /** Starts a video from its beginning, or from where an earlier one stopped. */
  play(manifest: string, from = 0): void {
    this.stop();
    if (Hls.isSupported()) {
      this.playWithHls(manifest, from);
    } else if (this.video.canPlayType("application/vnd.apple.mpegurl")) {
      this.video.src = manifest;
      this.video.currentTime = from;
    } else {
      this.events.failed("this browser cannot play HLS video");
      return;
    }
    // Browsers may refuse to start by themselves; then the viewer presses play.
    this.video.play().catch(() => undefined);
  }

  /** Forgets the present video. */
  stop(): void {
    this.hls?.destroy();
    this.hls = null;
    this.recoveries = 0;
    this.video.removeAttribute("src");
    this.video.load();
  }

  private playWithHls(manifest: string, from: number): void {
    const hls = new Hls({
      startPosition: from,
      capLevelToPlayerSize: true,
      backBufferLength: 60,
      cmcd: { useHeaders: true },
      manifestLoadPolicy: loadPolicy(2, 10000),
      playlistLoadPolicy: loadPolicy(4, 10000),
      fragLoadPolicy: loadPolicy(6, 60000),
    });
    hls.on(Events.ERROR, (_, data) => this.onError(hls, data));
    hls.loadSource(manifest);
    hls.attachMedia(this.video);
    this.hls = hls;
  }

  private onError(hls: Hls, data: ErrorData): void {
    if (!data.fatal) {
      return;
    }
    if (data.type === ErrorTypes.MEDIA_ERROR && this.recoveries < maxRecoveries) {
      this.recoveries++;
      hls.recoverMediaError();
      return;
    }
    this.events.failed(data.details);
  }
}
