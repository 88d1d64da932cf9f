let timer = 0;

self.onmessage = ({ data: rate }) => {
  clearInterval(timer);
  if (rate > 0) timer = setInterval(() => self.postMessage(null), 1000 / rate);
};
