# DistillSharp for systems that are no Debian: docker build -t distillsharp . && docker run --rm distillsharp quickstart
# The first stage builds the native library and the command, the second holds what they need at run time.
FROM debian:13-slim AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl libicu76 \
    && curl -fsSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0 --install-dir /usr/share/dotnet \
    && ln -s /usr/share/dotnet/dotnet /usr/bin/dotnet
WORKDIR /source
COPY . .
RUN eng/setup.sh && eng/build-native.sh \
    && dotnet publish src/DistillSharp.Cli -c Release --self-contained -o /distill

FROM debian:13-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
      libtorch2.6 libopenblas0-openmp libgomp1 libjpeg62-turbo libpng16-16t64 libicu76 librsvg2-bin fontconfig fonts-dejavu-core \
      dataset-fashion-mnist \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /distill /opt/distill
RUN ln -s /opt/distill/distill /usr/local/bin/distill
WORKDIR /data
ENTRYPOINT ["/opt/distill/distill"]
CMD ["--help"]
