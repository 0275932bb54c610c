import { defineConfig } from "vite";

// The build replaces everything in dist but the placeholder that lets a fresh clone compile.
export default defineConfig({
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // the page's policy allows no inline data
    modulePreload: { polyfill: false },
    rollupOptions: { output: { manualChunks: (id: string) => (id.includes("hls.js") ? "hls" : undefined) } },
    chunkSizeWarningLimit: 700,
  },
  plugins: [
    {
      name: "keep-placeholder",
      generateBundle() {
        this.emitFile({ type: "asset", fileName: ".gitkeep", source: "" });
      },
    },
  ],
  server: { proxy: { "/api": "http://127.0.0.1:8080", "/v": "http://127.0.0.1:8080" } },
});
