# DistillSharp for systems that are no Debian: docker build -t distillsharp . && docker run --rm -v "$PWD/runs:/data/runs" distillsharp quickstart
# The first stage builds the native library and the command, the second holds what they need at run time.
ARG DEBIAN=debian:13-slim
ARG SDK=mcr.microsoft.com/dotnet/sdk:10.0
FROM ${SDK} AS sdk

FROM ${DEBIAN} AS build
# The SDK is used for its programs alone; the project itself needs no cultures.
ENV DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
COPY --from=sdk /usr/share/dotnet /usr/share/dotnet
RUN ln -s /usr/share/dotnet/dotnet /usr/bin/dotnet \
    && apt-get update && apt-get install -y --no-install-recommends ca-certificates
WORKDIR /source
COPY eng/setup.sh eng/
RUN eng/setup.sh
COPY eng/build-native.sh eng/
COPY native native
RUN eng/build-native.sh
COPY . .
RUN dotnet publish src/Distill -c Release --self-contained -p:PublishDocumentationFiles=false -o /distill

FROM ${DEBIAN}
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
      ca-certificates dataset-fashion-mnist fontconfig fonts-dejavu-core libgomp1 libjpeg62-turbo libopenblas0-openmp libpng16-16t64 \
      librsvg2-bin libtorch2.6 \
    && apt-get clean && rm -rf /var/lib/apt/lists/*
COPY --from=build /distill /opt/distill
RUN ln -s /opt/distill/distill /usr/local/bin/distill && mkdir -m 1777 /data
# A user without a name (docker run --user) has no folder of its own.
ENV HOME=/tmp
WORKDIR /data
ENTRYPOINT ["distill"]
CMD ["--help"]
